import { expect, it, vi } from 'vitest';
import { eachInput } from './each-input.ts';
import { answers } from './fixtures/answers.ts';
import type { RewardInput } from './reward.ts';

const usual = { concurrency: 4, timeout: null, detached: true };
const lengthOf = ({ completion }: RewardInput): number => (completion as string).length;

/** A judge whose calls end when the test says so. */
function gated() {
  const open: { input: RewardInput; signal: AbortSignal; end(value: unknown): void }[] = [];
  const judge = (input: RewardInput, signal: AbortSignal): Promise<unknown> =>
    new Promise((end) => open.push({ input, signal, end }));
  return { open, judge };
}

/** Lets all calls start: on a busy machine a call may give way to the event loop first. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}

it('runs as many concurrent calls as allowed, and keeps the order of the inputs', async () => {
  const { open, judge } = gated();
  const found = eachInput('r', answers(['a', 'bb', 'ccc', 'dddd', 'eeeee']), judge, {
    ...usual,
    concurrency: 2,
  });
  for (let left = 5; left > 0; left -= 2) {
    await settled();
    expect(open).toHaveLength(Math.min(left, 2));
    // The later call ends first.
    for (const { input, end } of open.splice(0).reverse()) end(lengthOf(input));
  }
  expect((await found).map(({ score }) => score)).toEqual([1, 2, 3, 4, 5]);
});

it('calls a synchronous function in order, and no more after it has thrown', async () => {
  const called: number[] = [];
  const judge = (input: RewardInput): number => {
    called.push(lengthOf(input));
    if (lengthOf(input) === 2) throw new Error('no idea');
    return 0;
  };
  const inputs = answers(['a', 'bb', 'ccc', 'dddd']);
  await expect(eachInput('r', inputs, judge, { ...usual, concurrency: 1 })).rejects.toMatchObject({
    index: 1,
    message: 'r: no idea',
  });
  expect(called).toEqual([1, 2]);
});

it('ends with the first failure, notifies the other calls, and starts no more', async () => {
  const { open, judge } = gated();
  const failing = (input: RewardInput, signal: AbortSignal): unknown =>
    lengthOf(input) === 2 ? Promise.reject(new Error('no idea')) : judge(input, signal);
  const inputs = answers(['a', 'bb', 'ccc', 'dddd']);
  await expect(eachInput('r', inputs, failing, { ...usual, concurrency: 2 })).rejects.toMatchObject(
    { index: 1 },
  );
  expect(open.map(({ signal }) => signal.aborted)).toEqual([true]);
});

it.each([
  [new Error(''), 'r: Error'],
  ['as text', 'r: as text'],
  [undefined, 'r: undefined was thrown'],
  [{ code: 5 }, 'r: { code: 5 } was thrown'],
])('names the answer whatever is thrown: %o', async (thrown, message) => {
  const judge = () => Promise.reject(thrown);
  await expect(eachInput('r', answers(['a']), judge, usual)).rejects.toMatchObject({
    index: 0,
    message,
  });
});

it('abandons calls when the signal fires', async () => {
  const { open, judge } = gated();
  const controller = new AbortController();
  const { signal } = controller;
  const found = eachInput('r', answers(['a', 'b']), judge, { ...usual, signal });
  await settled();
  controller.abort(new Error('stop'));
  await expect(found).rejects.toBe(signal.reason);
  expect(open.map((one) => one.signal.aborted)).toEqual([true, true]);
});

it('waits for a call in progress that is not detached', async () => {
  const { open, judge } = gated();
  const controller = new AbortController();
  const { signal } = controller;
  const options = { concurrency: 1, timeout: null, detached: false, signal };
  const found = eachInput('r', answers(['a', 'b']), judge, options);
  const ended = vi.fn();
  void found.catch(ended);
  await settled();
  controller.abort();
  await settled();
  expect(ended).not.toHaveBeenCalled();
  open[0]!.end(1);
  await expect(found).rejects.toBe(signal.reason);
  expect(open).toHaveLength(1);
});

it('limits the time of a call', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const { open, judge } = gated();
    const found = eachInput('r', answers(['a', 'b']), judge, { ...usual, timeout: 2 });
    const failed = expect(found).rejects.toMatchObject({
      index: 1,
      message: 'r: no result after 2 s, the time limit of a call (--reward-timeout)',
    });
    await settled();
    open[0]!.end(1);
    await settled();
    vi.advanceTimersByTime(2000);
    await failed;
    expect(open[1]!.signal.aborted).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
