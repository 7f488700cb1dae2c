import { expect, it } from 'vitest';
import { pairedObjectiveNames } from '../objectives/registry.ts';
import { readObjective } from './objective-name.ts';

it('accepts every objective by its name and by the names in papers', () => {
  for (const name of pairedObjectiveNames) {
    expect(readObjective(name), name).toMatchObject({ verb: 'dpo', loss: [name], weights: [1] });
  }
  expect(readObjective('DPO')).toEqual({
    ...{ label: 'dpo', verb: 'dpo', loss: ['sigmoid'], weights: [1] },
    ...{ hasBeta: true, needsReference: true },
  });
  expect(readObjective('cal-dpo')).toMatchObject({ label: 'cal_dpo', loss: ['cal_dpo'] });
  expect(readObjective('kto')).toMatchObject({ verb: 'kto', loss: ['kto'], hasBeta: true });
  expect(readObjective('chosen_nll')).toMatchObject({ hasBeta: false, needsReference: false });
});

it('accepts weighted sums', () => {
  expect(readObjective('dpo + 0.2*chosen_nll')).toEqual({
    ...{ label: 'dpo+0.2xchosen_nll', verb: 'dpo', loss: ['sigmoid', 'chosen_nll'] },
    ...{ weights: [1, 0.2], hasBeta: true, needsReference: true },
  });
});

it('explains what is wrong with a name', () => {
  expect(readObjective('simop')).toBe('unknown objective "simop"; did you mean "simpo"?');
  expect(readObjective('dpoo')).toContain('did you mean "dpo"?');
  expect(readObjective('plackett_luce')).toMatch(/"plackett_luce".*rankings/);
  expect(readObjective('ppo1234567')).toMatch(/^unknown objective "ppo1234567".* sigmoid, /s);
  expect(readObjective('kto+sigmoid')).toMatch(/kto.*single answers/);
  expect(readObjective('0.5*')).toMatch(/^"0\.5\*"/);
  expect(readObjective('')).toMatch(/^""/);
});
