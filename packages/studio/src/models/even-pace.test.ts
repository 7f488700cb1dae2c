import { describe, expect, test } from 'vitest';
import { type Clock, evenly } from './even-pace.ts';

/** Milliseconds between two looks. */
const TICK = 50;

/** A clock that moves when somebody waits for it, and writers that write by it. */
function made() {
  let [now, waits] = [0, 0];
  const later: { at: number; go: () => void }[] = [];
  const until = (at: number) => new Promise<void>((go) => later.push({ at, go }));
  const clock: Clock = {
    now: () => now,
    wait: async () => {
      if (++waits > 10_000) throw new Error('nothing ends');
      now += TICK;
      for (const one of later.splice(0).sort((a, b) => a.at - b.at)) {
        if (one.at <= now) one.go();
        else later.push(one);
      }
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
  /** A text in parts of so many characters, each after so many milliseconds. */
  async function* writer(text: string, size: number, every: number, start = 0) {
    for (let at = 0, time = start; at < text.length; at += size, time += every) {
      await until(time);
      yield text.slice(at, at + size);
    }
  }
  return { clock, writer, until };
}

const letters = (count: number) => 'abcdefghij'.repeat(count / 10);

/** All steps, with the time of each. */
async function shown(
  clock: Clock,
  ...writers: [AsyncIterable<string>, AsyncIterable<string>]
): Promise<{ left: string; right: string; at: number }[]> {
  const steps = [];
  for await (const [left, right] of evenly(writers, clock))
    steps.push({ left, right, at: clock.now() });
  return steps;
}

const joined = (steps: readonly { left: string; right: string }[]) => [
  steps.map(({ left }) => left).join(''),
  steps.map(({ right }) => right).join(''),
];

describe('a fast and a slow writer', () => {
  test.each([
    ['the fast one writes more', 400, 100],
    ['the slow one writes more', 100, 400],
    ['both write the same', 200, 200],
  ])('%s: as many characters of both, none before both have begun', async (_, fast, slow) => {
    const { clock, writer } = made();
    const steps = await shown(
      clock,
      writer(letters(fast), 20, 50),
      writer(letters(slow), 10, 200, 2000),
    );
    expect(joined(steps)).toEqual([letters(fast), letters(slow)]);
    expect(steps[0]!.at).toBeGreaterThanOrEqual(2000);
    const short = Math.min(fast, slow);
    let common = 0;
    for (const { left, right } of steps) {
      if (common + left.length > short || common + right.length > short) break;
      expect(left.length).toBe(right.length);
      common += left.length;
    }
    expect(common).toBeGreaterThan(short / 2);
  });

  test.each([
    ['fast', 400, 100],
    ['slow', 100, 400],
  ])('the rest of the %s one comes as fast as both came before', async (_, fast, slow) => {
    const { clock, writer } = made();
    const steps = await shown(clock, writer(letters(fast), 20, 50), writer(letters(slow), 10, 200));
    const sizes = steps.map(({ left, right }) => Math.max(left.length, right.length));
    let sum = 0;
    const end = sizes.findIndex((size) => {
      sum += size;
      return sum >= 100;
    });
    const pace = (from: number, to: number) =>
      sizes.slice(from, to).reduce((all, size) => all + size, 0) /
      (steps[to - 1]!.at - steps[from]!.at);
    const [common, rest] = [pace(1, end), pace(end + 1, sizes.length)];
    expect(rest / common).toBeGreaterThan(0.7);
    expect(rest / common).toBeLessThan(1.3);
  });
});

test('texts that come whole are shown whole, at the same time', async () => {
  const { clock, writer } = made();
  const steps = await shown(clock, writer('Yes.', 10, 0), writer(letters(50), 100, 0, 500));
  expect(joined(steps)).toEqual(['Yes.', letters(50)]);
  expect(steps).toHaveLength(1);
});

test('an empty text is one too', async () => {
  const { clock, writer } = made();
  const steps = await shown(clock, writer('', 1, 0), writer(letters(50), 10, 100));
  expect(joined(steps)).toEqual(['', letters(50)]);
});

test('no character is cut in two', async () => {
  const { clock, writer } = made();
  const steps = await shown(clock, writer('😀'.repeat(40), 2, 100), writer(letters(80), 3, 60));
  for (const { left } of steps) expect(left.isWellFormed()).toBe(true);
  expect(joined(steps)).toEqual(['😀'.repeat(40), letters(80)]);
});

test('a writer that fails ends both', async () => {
  const { clock, writer, until } = made();
  async function* failing() {
    yield 'begun';
    await until(500);
    throw new Error('broken');
  }
  await expect(shown(clock, writer(letters(1000), 10, 100), failing())).rejects.toThrow('broken');
});
