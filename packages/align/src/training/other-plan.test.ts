import { scheduleFactor } from '@keel/torch';
import { expect, it } from 'vitest';
import { describeOtherPlan, type Schedule } from './other-plan.ts';

const rate = (name: 'constant' | 'linear' | 'cosine', warmupSteps = 0): Schedule => ({
  name: 'learning rate',
  at: (step, totalSteps) => 1e-3 * scheduleFactor(name, step, { warmupSteps, totalSteps }),
});

it('reports the rates before and after the change, and those of a run with the new steps', () => {
  expect(describeOtherPlan([rate('linear')], { step: 10, before: 10, now: 20 })).toBe(
    'The run was planned for 10 steps and now has 20, and its schedules follow the new number: ' +
      'the learning rate was 0.0001 at step 10, and is 0.0005 at step 11 (0.00055 at step 10 in a run of 20 steps from the start). ' +
      'The result is not that of 20 steps in one go. For that, start again with --overwrite',
  );
  const beta = { name: 'beta', at: (step: number, total: number) => step / total };
  expect(describeOtherPlan([rate('constant'), beta], { step: 3, before: 4, now: 6 })).toMatch(
    /: the beta was 0\.5 at step 3, and is 0\.5 at step 4 \(0\.333333 at step 3 in/,
  );
});

it.each([
  ['nothing changes', [rate('linear')], { step: 5, before: 10, now: 10 }],
  ['nothing is done', [rate('linear')], { step: 0, before: 10, now: 20 }],
  ['the rate is constant', [rate('constant', 3)], { step: 5, before: 10, now: 20 }],
  ['the run is still in its warm-up', [rate('cosine', 6)], { step: 6, before: 10, now: 20 }],
])('reports nothing if %s', (_, schedules, plan) => {
  expect(describeOtherPlan(schedules, plan)).toBeNull();
});

it('reports that no steps are left to train, and that a run ends early', () => {
  expect(describeOtherPlan([rate('constant')], { step: 8, before: 10, now: 5 })).toMatch(
    /8 steps.* 5 /,
  );
  expect(describeOtherPlan([rate('linear')], { step: 5, before: 10, now: 5 })).toMatch(
    /the learning rate was 0\.0006 at step 5 \(0\.0002 at step 5 in a run of 5/,
  );
});
