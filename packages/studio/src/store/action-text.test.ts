import { expect, it } from 'vitest';
import { actionText } from './action-text.ts';

it('tells what changed, and from what', () => {
  const aspect = { key: 'risky', label: 'Risky', question: 'How risky?', least: 0, most: 4 };
  expect(
    actionText({
      overlap: { from: 1, to: 4 },
      randomShare: { from: 0.3, to: 0 },
      aspects: { from: [], to: [aspect, { ...aspect, key: 'helpful' }] },
      tie: { from: true, to: false },
      guidelines: { from: '', to: 'Be kind. '.repeat(20) },
    }),
  ).toBe(
    `overlap 4 (was 1), random share 0 (was 0.3), aspects risky, helpful (was none), tie no (was yes), guidelines ${'Be kind. '.repeat(20).slice(0, 79)}… (was none)`,
  );
});

it('tells what was done, and leaves out what says nothing', () => {
  expect(actionText({ name: 'Ann', role: 'annotator', projects: ['a', 'b'], by: null })).toBe(
    'name Ann, role annotator, projects a, b',
  );
  expect(actionText({ tasks: 457, verdicts: 0, faults: [] })).toBe('tasks 457, verdicts 0');
  expect(actionText({})).toBe('');
});
