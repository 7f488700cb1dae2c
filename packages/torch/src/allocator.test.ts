import { expect, test } from 'vitest';
import { runChild } from './testing/run-child.ts';

// Activations of 4 to 5.5 MB that are allocated and freed as in a training step.
const program = `
  import { existsSync, readFileSync } from 'node:fs';
  import { ones, setThreads, tidy, trimMemory } from '@keel/torch';
  setThreads(1);
  const faults = () => process.resourceUsage().minorPageFault;
  const resident = () => Number(/^VmRSS:\\s+(\\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? Number.NaN) * 1024;
  const step = (rows) => tidy(() => {
    const first = ones([rows, 1024]), second = first.add(1), third = second.add(first);
    return third.sum().item() / (rows * 1024);
  });
  const sums = [step(1376)];
  const before = faults();
  let touched = 0;
  for (let i = 0; i < 50; i++) {
    const rows = 1024 + 32 * (i % 11);
    sums.push(step(rows));
    touched += 3 * rows;
  }
  const share = (faults() - before) / touched;
  const tensor = ones([4096, 4096]);
  tensor.dispose();
  const kept = resident();
  trimMemory();
  console.log(JSON.stringify({ right: sums.every((one) => one === 3), share, given: kept - resident(), linux: existsSync('/proc/self/status') }));`;

test('memory of large tensors is reused, and released on request', async () => {
  const { right, share, given, linux } = await runChild<{
    right: boolean;
    share: number;
    given: number;
    linux: boolean;
  }>(program);
  expect(right).toBe(true);
  // Page faults per page written. Sizes vary, and use pieces of the same range.
  expect(share).toBeLessThan(0.05);
  if (linux) expect(given).toBeGreaterThan(60e6);
});
