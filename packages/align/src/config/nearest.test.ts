import { expect, test } from 'vitest';
import { editDistance, nearest } from './nearest.ts';

test('edit distance counts insertions, deletions, substitutions and swaps', () => {
  expect(editDistance('', 'abc')).toBe(3);
  expect(editDistance('kitten', 'sitting')).toBe(3);
  expect(editDistance('beta', 'beat')).toBe(1);
  expect(editDistance('loss', 'loss')).toBe(0);
});

test('returns a near word, or nothing if all are far', () => {
  const known = ['beta', 'learning_rate', 'epochs', 'batch_size', 'micro_batch_size'];
  expect(nearest('learnig_rate', known)).toBe('learning_rate');
  expect(nearest('BETA', known)).toBe('beta');
  expect(nearest('batchsize', known)).toBe('batch_size');
  expect(nearest('learning', known)).toBe('learning_rate');
  expect(nearest('temperature', known)).toBeNull();
});
