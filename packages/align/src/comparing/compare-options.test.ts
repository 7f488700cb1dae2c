import { expect, test } from 'vitest';
import { resolveOptions } from '../config/resolve-options.ts';
import { compareDefinition } from './compare-options.ts';

const resolve = (flags: Record<string, string>) =>
  resolveOptions(compareDefinition, {
    flags: { data: ['x'], evalData: ['y'], output: 'run', ...flags },
  });

test('a seed or a beta that stands twice is refused: it would be one run that counts for two', () => {
  expect(() => resolve({ seeds: '1,2,1' })).toThrow('--seeds: 1 stands there twice');
  expect(() => resolve({ betas: '0.1,0.1' })).toThrow('--betas: 0.1 stands there twice');
  expect(resolve({ seeds: '1,2', betas: '0.1,0.2' }).seeds).toEqual([1, 2]);
});
