import { defineConfig } from 'vitest/config';

// LibTorch is threaded itself: two test processes at a time are what two cores carry.
export default defineConfig({
  test: {
    include: ['packages/**/*.test.ts', 'examples/**/*.test.ts', 'test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // One thread each: two workers with two threads wait for each other more than they compute.
    env: { OMP_NUM_THREADS: '1' },
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
