import { expect, it } from 'vitest';
import { PhaseClock, phase } from './phases.ts';

it('without a clock, a phase only runs its body', () => {
  expect(phase('any', () => 3)).toBe(3);
});

it('sums each phase; a phase within another counts for the outer one', async () => {
  const clock = new PhaseClock();
  await clock.run(async () => {
    phase('forward', () => phase('log-probs', () => {}));
    phase('forward', () => {});
    await phase('data', async () => {
      await Promise.resolve();
      phase('reference', () => {});
    });
  });
  const taken = clock.take();
  expect([...taken.keys()]).toEqual(['forward', 'data']);
  for (const seconds of taken.values()) expect(seconds).toBeGreaterThanOrEqual(0);
  expect(clock.take().size).toBe(0);
});

it('a phase that fails, at once or later, ends', async () => {
  const clock = new PhaseClock();
  await clock.run(async () => {
    const failing = (): never => {
      throw new Error('no');
    };
    expect(() => phase('first', failing)).toThrow('no');
    await expect(phase('second', async () => failing())).rejects.toThrow('no');
    phase('third', () => {});
  });
  expect([...clock.take().keys()]).toEqual(['first', 'second', 'third']);
});

it('two clocks that run at once are independent', async () => {
  const clocks = [new PhaseClock(), new PhaseClock()];
  await Promise.all(
    clocks.map((clock, index) =>
      clock.run(() =>
        phase(`outer ${index}`, async () => {
          await Promise.resolve();
          phase(`inner ${index}`, () => {});
        }),
      ),
    ),
  );
  expect(clocks.map((clock) => [...clock.take().keys()])).toEqual([['outer 0'], ['outer 1']]);
});
