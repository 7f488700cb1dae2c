import { expect, it } from 'vitest';
import { cutOffLines, trainLines } from './train-command.ts';

it('prints a command that training accepts, or none', () => {
  const lines = (rows: number, cutOff: number) =>
    trainLines('Train:', 'sft', 'a b.jsonl', { rows, cutOff });
  expect(lines(3, 0)).toEqual(["Train: npx keel sft --data 'a b.jsonl'"]);
  expect(lines(3, 2)).toEqual(["Train: npx keel sft --data 'a b.jsonl' --on-bad-row skip"]);
  expect([lines(3, 3), lines(0, 0)]).toEqual([[], []]);
  expect(cutOffLines({ rows: 3, cutOff: 0 })).toEqual([]);
  expect(cutOffLines({ rows: 3, cutOff: 2 })[0]).toMatch(/^2 of 3 rows .*--max-new-tokens/);
});
