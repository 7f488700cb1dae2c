import { expect, test } from 'vitest';
import { resolveOptions } from '../config/resolve-options.ts';
import { compareDefinition } from './compare-options.ts';

const resolve = (flags: Record<string, string>) =>
  resolveOptions(compareDefinition, {
    flags: { data: ['x'], evalData: ['y'], output: 'run', ...flags },
  });

test('duplicate seeds or betas are refused: they would count one run twice', () => {
  expect(() => resolve({ seeds: '1,2,1' })).toThrow(/--seeds: 1 /);
  expect(() => resolve({ betas: '0.1,0.1' })).toThrow(/--betas: 0\.1 /);
  expect(resolve({ seeds: '1,2', betas: '0.1,0.2' }).seeds).toEqual([1, 2]);
});
