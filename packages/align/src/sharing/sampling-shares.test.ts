import { expect, it } from 'vitest';
import { samplingThreads } from './sampling-shares.ts';

const process = (host: string, threads: number, cores: number) => ({ host, threads, cores });

it('lets one process of each machine sample, with the threads of all', () => {
  const [a, b] = [process('a', 2, 8), process('b', 2, 8)];
  expect(samplingThreads([a, a, a])).toEqual([6, 0, 0]);
  expect(samplingThreads([a, b, a, b])).toEqual([4, 4, 0, 0]);
  expect(samplingThreads([a, b])).toEqual([2, 2]);
});

it('lets all sample where a process may not use the cores of the others', () => {
  const bound = process('a', 2, 2);
  expect(samplingThreads([bound, bound])).toEqual([2, 2]);
  // Their number of threads differs: one machine would wait for the other.
  const [a, b] = [process('a', 2, 8), process('b', 2, 8)];
  expect(samplingThreads([a, a, b])).toEqual([2, 2, 2]);
  const device = process('a', 4, 0);
  expect(samplingThreads([device, device])).toEqual([4, 4]);
});
