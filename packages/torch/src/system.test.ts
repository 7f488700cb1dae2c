import { Worker } from 'node:worker_threads';
import { liveMemory } from '@keel/torch/testing/live-memory';
import { expect, test } from 'vitest';
import { ones, tensor } from './create.ts';
import { tidy } from './scope.ts';
import { setThreads, threads, torchBuild } from './system.ts';

test('the build reports its version and features', () => {
  const build = torchBuild();
  expect(build.version).toMatch(/^2\.\d+\.\d+/);
  expect(build.config).toContain('PyTorch built with');
  expect(build.cuda || build.cudaDevices === 0).toBe(true);
});

test('the number of threads is set and read, and does not change a result', () => {
  const before = threads();
  const product = (): number =>
    tidy(() =>
      ones([300, 300])
        .matmul(ones([300, 300]))
        .sum()
        .item(),
    );
  try {
    setThreads(1);
    expect(threads()).toBe(1);
    const alone = product();
    setThreads(2);
    expect(threads()).toBe(2);
    expect(product()).toBe(alone);
  } finally {
    setThreads(before);
  }
  for (const wrong of [0, -1, 1.5, Number.NaN]) expect(() => setThreads(wrong)).toThrow(RangeError);
  expect(threads()).toBe(before);
});

const program = (body: string): string => `
  import { parentPort } from 'node:worker_threads';
  import { memory, ones, tensor, Tensor } from '${new URL('./index.ts', import.meta.url)}';
  ${body}`;

function runWorker<T>(body: string): {
  worker: Worker;
  message: Promise<T>;
  ended: Promise<number>;
} {
  const url = `data:text/javascript,${encodeURIComponent(program(body))}`;
  const worker = new Worker(new URL(url), { execArgv: [] });
  return {
    worker,
    message: new Promise((resolve, reject) =>
      worker.once('message', resolve).once('error', reject),
    ),
    ended: new Promise((resolve) => worker.once('exit', resolve)),
  };
}

test('worker threads have their own tensors, freed when they end', async () => {
  const own = tensor([5]);
  const before = await liveMemory();
  const workers = [1, 2].map((n) =>
    runWorker<{ counts: number; value: number; foreign: string }>(`
      const kept = ones([1000]);
      const x = tensor([${n}]).setRequiresGrad();
      x.mul(x).sum().backward();
      let foreign = 'reached another tensor';
      try { ones([1]).add(Object.assign(Object.create(Tensor.prototype), { handle: ${own.handle} })); } catch (error) { foreign = error.message; }
      parentPort.postMessage({ counts: memory().tensors >= 2, value: x.grad.item(), foreign });`),
  );
  for (const [i, { message, ended }] of workers.entries()) {
    const { counts, value, foreign } = await message;
    expect(counts).toBe(true);
    expect(value).toBe(2 * (i + 1));
    expect(foreign).toMatch(/was disposed/);
    expect(await ended).toBe(0);
  }
  expect(await liveMemory()).toEqual(before);
  expect(own.item()).toBe(5);
  own.dispose();
});

test('terminating a worker in the middle of its work does no harm', async () => {
  const { worker, message, ended } = runWorker(`
    parentPort.postMessage('begun');
    for (;;) ones([64, 64]).matmul(ones([64, 64])).dispose();`);
  await message;
  await worker.terminate();
  expect(await ended).toBe(1);
  expect(tidy(() => ones([2]).sum().item())).toBe(2);
});
