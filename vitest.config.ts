import { defineConfig } from 'vitest/config';
import { browserPath } from './packages/studio/src/testing/browser-path.ts';

// Tests of pages need a browser. CI fails without one; a user's checkout leaves them out.
const hasBrowser = browserPath() !== null || process.env.CI !== undefined;
if (!hasBrowser) {
  console.warn('Pages are not tested: install Chromium, or name one in KEEL_CHROMIUM');
}

// LibTorch is threaded itself: two test processes at a time are what two cores carry.
export default defineConfig({
  test: {
    include: ['packages/**/*.test.ts', 'examples/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['**/node_modules/**', ...(hasBrowser ? [] : ['**/*.browser.test.ts'])],
    pool: 'forks',
    maxWorkers: 2,
    // One thread each: two workers with two threads wait for each other more than they compute.
    env: { OMP_NUM_THREADS: '1' },
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
