import { describe, expect, test } from 'vitest';
import { ones, tensor, zeros } from './create.ts';
import { keep, memory, Scope, tidy } from './scope.ts';
import type { Tensor } from './tensor.ts';
import { runChild } from './testing/run-child.ts';

const live = (): number => memory().tensors;

describe('tidy', () => {
  test('frees everything but its result', () => {
    const before = live();
    const result = tidy(() => ones([2]).add(1).mul(3));
    expect(live()).toBe(before + 1);
    expect(result.toArray()).toEqual([6, 6]);
    result.dispose();
    expect(live()).toBe(before);
  });

  test('hands over arrays, maps, sets, plain objects and their contents', () => {
    const before = live();
    const list = tidy(() => {
      const one = tensor(1);
      const bare = Object.assign(Object.create(null) as { six?: Tensor }, { six: tensor(6) });
      tensor(99);
      const result = {
        one,
        twice: [one, [tensor(2)]],
        map: new Map([['c', tensor(3)]]),
        set: new Set([tensor(4)]),
        bare,
        n: 5,
        none: null,
      };
      return Object.assign(result, { self: result });
    });
    expect(live()).toBe(before + 5);
    expect([...list.set][0]?.item()).toBe(4);
    for (const held of [
      list.one,
      (list.twice[1] as Tensor[])[0]!,
      list.map.get('c')!,
      [...list.set][0]!,
      list.bare.six!,
    ])
      held.dispose();
    expect(live()).toBe(before);
  });

  test('nests: a result goes to the surrounding scope', () => {
    const before = live();
    let middle = 0;
    tidy(() => {
      const kept = tidy(() => tidy(() => tensor(7)).add(1));
      middle = live();
      expect(kept.item()).toBe(8);
    });
    expect(middle).toBe(before + 1);
    expect(live()).toBe(before);
  });

  test('leaves a result that belongs elsewhere in its scope', () => {
    const before = live();
    tidy(() => {
      const outer = tensor(1);
      const inner = tidy(() => outer);
      expect(inner).toBe(outer);
      expect(outer.item()).toBe(1);
    });
    expect(live()).toBe(before);
  });

  test('frees everything when the body throws', () => {
    const before = live();
    expect(() =>
      tidy(() => {
        tidy(() => {
          ones([3]);
          throw new Error('inside');
        });
      }),
    ).toThrow('inside');
    expect(live()).toBe(before);
  });

  test('refuses promises and frees the created tensors', async () => {
    const before = live();
    for (const body of [
      async () => ones([1]),
      async () => {
        ones([1]);
        throw new Error('never seen');
      },
      () => Object.defineProperty({}, 'then', { value: () => ones([1]) }),
    ]) {
      expect(() => tidy(body)).toThrow(/synchronous function.*promise/);
    }
    expect(live()).toBe(before);
    await Promise.resolve();
  });

  test('an unreadable result leaves the surrounding scopes unchanged', () => {
    const before = live();
    tidy(() => {
      expect(() =>
        tidy(() => ({
          made: ones([1]),
          get bad(): Tensor {
            throw new Error('getter');
          },
        })),
      ).toThrow('getter');
      ones([1]);
      expect(live()).toBe(before + 1);
    });
    expect(live()).toBe(before);
  });

  test('deep nesting, even until the stack overflows', () => {
    const before = live();
    const descend = (depth: number): Tensor =>
      tidy(() => (depth === 0 ? tensor(1) : descend(depth - 1).add(1)));
    const deep = descend(500);
    expect(deep.item()).toBe(501);
    deep.dispose();
    const dive = (): void => tidy(() => void [tensor(1), dive()]);
    expect(dive).toThrow(RangeError);
    expect(live()).toBe(before);
    tidy(() => void tensor(1));
    expect(live()).toBe(before);
  });
});

describe('scopes', () => {
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];
  test.each(
    orders,
  )('interleaved, closed in the order %i %i %i, free their own tensors', (...order) => {
    const before = live();
    const scopes: Scope[] = [];
    const tensors: Tensor[] = [];
    for (let i = 0; i < 3; i++) {
      scopes.push(new Scope());
      tensors.push(tensor(i), tensor(i));
    }
    const open = new Set([0, 1, 2]);
    for (const which of order) {
      scopes[which]![Symbol.dispose]();
      open.delete(which);
      expect(tensors.map((one) => !one.disposed)).toEqual(
        [0, 0, 1, 1, 2, 2].map((one) => open.has(one)),
      );
      // New tensors belong to the innermost open scope.
      if (open.size > 0) {
        const made = tensor(9);
        expect(made.owner).toBe(scopes[Math.max(...open)]);
      }
      scopes[which]![Symbol.dispose]();
    }
    expect(live()).toBe(before);
  });

  test('a scope that is opened in tidy and left open outlives it', () => {
    const before = live();
    let left: Scope | undefined;
    const result = tidy(() => {
      const own = tensor(1);
      left = new Scope();
      tensor(2);
      return own;
    });
    expect(live()).toBe(before + 2);
    left?.[Symbol.dispose]();
    expect(result.disposed).toBe(false);
    result.dispose();
    expect(live()).toBe(before);
  });

  test('keep takes a tensor out of its scope, using frees it', () => {
    const before = live();
    const kept = tidy(() => {
      const [first, second] = [tensor(1), keep(tensor(2))];
      return { value: first.item(), second: () => second };
    });
    expect(kept.second().item()).toBe(2);
    expect(keep(kept.second())).toBe(kept.second());
    kept.second().dispose();
    {
      using scope = new Scope();
      using early = tensor(1);
      expect(early.owner).toBe(scope);
      tensor(2);
      expect(live()).toBe(before + 2);
    }
    expect(live()).toBe(before);
  });

  test('a long-lived scope holds no tensors that were freed in it', async () => {
    const program = `
      import { Scope, tensor } from '@keel/torch';
      using scope = new Scope();
      const kept = tensor(1);
      const round = () => { for (let i = 0; i < 20000; i++) tensor(i).dispose(); gc(); return process.memoryUsage().heapUsed; };
      round();
      const first = round();
      for (let i = 0; i < 5; i++) round();
      console.log(JSON.stringify({ grown: round() - first, kept: kept.item() }));`;
    const { grown, kept } = await runChild<{ grown: number; kept: number }>(program, {
      flags: ['--expose-gc'],
    });
    expect(kept).toBe(1);
    expect(grown).toBeLessThan(2_000_000);
  });
});

describe('memory', () => {
  test('counts a shared storage once', () => {
    const before = memory();
    tidy(() => {
      const base = zeros([10, 10], { dtype: 'float64' });
      const views = [base.view(100), base.t(), base.narrow(0, 2, 3), base.detach()];
      expect(memory()).toEqual({ tensors: before.tensors + 5, bytes: before.bytes + 800 });
      base.dispose();
      expect(memory()).toEqual({ tensors: before.tensors + 4, bytes: before.bytes + 800 });
      expect(views[2]?.shape).toEqual([3, 10]);
      views[2]?.clone();
      expect(memory()).toEqual({ tensors: before.tensors + 5, bytes: before.bytes + 1040 });
    });
    expect(memory()).toEqual(before);
  });

  test('the garbage collector frees tensors lost outside scopes', async () => {
    const program = `
      import { memory, ones, tidy, keep } from '@keel/torch';
      const make = () => { for (let i = 0; i < 100; i++) ones([100]); tidy(() => keep(ones([100]))); };
      make();
      const made = memory().tensors;
      const collected = () => new Promise((resolve) => setImmediate(resolve));
      for (let i = 0; i < 100 && memory().tensors > 0; i++) { gc(); await collected(); }
      console.log(JSON.stringify({ made, left: memory().tensors }));`;
    expect(await runChild(program, { flags: ['--expose-gc'] })).toEqual({ made: 101, left: 0 });
  });
});
