import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ones, randn, tensor, zeros } from '../create.ts';
import { manualSeed, withSeed } from '../random.ts';
import { memory, Scope } from '../scope.ts';
import type { Tensor } from '../tensor.ts';
import { AdamW } from './adamw.ts';
import type { Optimiser } from './optimiser.ts';
import { Sgd } from './sgd.ts';

let scope: Scope;
beforeEach(() => {
  scope = new Scope();
  manualSeed(11);
});
afterEach(() => scope[Symbol.dispose]());

const wide = { dtype: 'float64' } as const;
const gradientAt = (step: number, i: number): number => Math.sin(3 * step + i) * (i + 1);
const rateAt = (step: number): number => 0.1 / step;

/** 20 steps on one parameter of 4 elements with given gradients. */
function run(optimiser: Optimiser, parameter: Tensor, first = 1, last = 20): void {
  for (let step = first; step <= last; step++) {
    parameter.grad = tensor(
      [0, 1, 2, 3].map((i) => gradientAt(step, i)),
      { dtype: parameter.dtype },
    );
    optimiser.step(rateAt(step));
    optimiser.zeroGrad();
    expect(parameter.grad).toBeNull();
  }
}
const start = [1, -2, 3, -0.5];

/** Loshchilov & Hutter, algorithm 2, written out. */
function adamwReference(beta1: number, beta2: number, epsilon: number, decay: number): number[] {
  return start.map((value, i) => {
    let [p, m, v] = [value, 0, 0];
    for (let t = 1; t <= 20; t++) {
      const g = gradientAt(t, i);
      m = beta1 * m + (1 - beta1) * g;
      v = beta2 * v + (1 - beta2) * g * g;
      const step = m / (1 - beta1 ** t) / (Math.sqrt(v / (1 - beta2 ** t)) + epsilon);
      p -= rateAt(t) * (step + decay * p);
    }
    return p;
  });
}

function sgdReference(momentum: number, decay: number): number[] {
  return start.map((value, i) => {
    let [p, velocity] = [value, 0];
    for (let t = 1; t <= 20; t++) {
      velocity = momentum * velocity + gradientAt(t, i) + decay * p;
      p -= rateAt(t) * velocity;
    }
    return p;
  });
}

const closest = (found: Tensor, expected: number[], error: number): void =>
  found.toArray().forEach((one, i) => {
    // AdamW's two decays differ only by rounding, because of the order of products.
    expect(Math.abs(one - expected[i]!)).toBeLessThan(error);
  });

describe('AdamW', () => {
  test.each([
    0, 0.1,
  ])('equals the algorithm written out in float64, weight decay %d', (weightDecay) => {
    const parameter = tensor(start, wide).setRequiresGrad();
    const options = { beta1: 0.8, beta2: 0.95, epsilon: 1e-6, weightDecay };
    run(new AdamW(new Map([['p', parameter]]), options), parameter);
    closest(parameter, adamwReference(0.8, 0.95, 1e-6, weightDecay), 1e-12);
  });

  test('float32 follows it with the default options', () => {
    const parameter = tensor(start).setRequiresGrad();
    run(new AdamW(new Map([['p', parameter]])), parameter);
    closest(parameter, adamwReference(0.9, 0.999, 1e-8, 0), 1e-5);
  });

  test('a parameter whose gradients start late moves as if the run had started then', () => {
    const late = tensor(start, wide).setRequiresGrad();
    const other = tensor(start, wide).setRequiresGrad();
    const options = { beta1: 0.8, beta2: 0.95, epsilon: 1e-6, weightDecay: 0.1 };
    const both = new Map([
      ['late', late],
      ['other', other],
    ]);
    const optimiser = new AdamW(both, options);
    run(optimiser, other, 1, 50);
    expect(late.detach().toArray()).toEqual(start);
    run(optimiser, late);
    closest(late, adamwReference(0.8, 0.95, 1e-6, 0.1), 1e-12);
    expect(optimiser.state()).toMatchObject({ step: 70, missed: { late: 50, other: 20 } });
  });

  test('parameters and gradients that are not row-major', () => {
    const values = [
      [1, 2, 3],
      [4, 5, 6],
    ];
    const plain = tensor(values, wide).setRequiresGrad();
    const turned = tensor(values, wide).t().contiguous().t().setRequiresGrad();
    const base = zeros([2, 5], wide);
    const part = base.narrow(1, 1, 3).copy_(plain.detach()).setRequiresGrad();
    const all = new Map([
      ['plain', plain],
      ['turned', turned],
      ['part', part],
    ]);
    const optimiser = new AdamW(all, { weightDecay: 0.1 });
    for (let step = 1; step <= 3; step++) {
      const gradient = randn([2, 3], wide);
      plain.grad = gradient;
      turned.grad = gradient;
      part.grad = gradient.t().contiguous().t();
      optimiser.step(0.1);
    }
    expect(turned.toArray()).toEqual(plain.toArray());
    expect(part.toArray()).toEqual(plain.toArray());
    expect(plain.toArray()).not.toEqual(values.flat());
    for (const column of [0, 4]) expect(base.select(1, column).toArray()).toEqual([0, 0]);
  });

  test('parameters of different types and without a gradient', () => {
    const [a, b, c] = [ones([2]), ones([2], { dtype: 'bfloat16' }), ones([2])].map((one) =>
      one.setRequiresGrad(),
    );
    const optimiser = new AdamW(
      new Map([
        ['a', a!],
        ['b', b!],
        ['c', c!],
      ]),
    );
    optimiser.step(0.5);
    a!.grad = ones([2]);
    b!.grad = ones([2], { dtype: 'bfloat16' });
    optimiser.step(0.5);
    expect(a!.toArray()[0]).toBeLessThan(1);
    expect(b!.toArray()[0]).toBeLessThan(1);
    expect(c!.toArray()).toEqual([1, 1]);
  });
});

describe('Sgd', () => {
  test.each([
    [0, 0],
    [0.9, 0],
    [0, 0.1],
    [0.9, 0.1],
  ])('equals the update written out, momentum %d, weight decay %d', (momentum, weightDecay) => {
    const parameter = tensor(start, wide).setRequiresGrad();
    run(new Sgd(new Map([['p', parameter]]), { momentum, weightDecay }), parameter);
    closest(parameter, sgdReference(momentum, weightDecay), 1e-12);
  });
});

describe.each([
  ['AdamW', (p: Map<string, Tensor>): Optimiser => new AdamW(p, { weightDecay: 0.01 })],
  ['Sgd', (p: Map<string, Tensor>): Optimiser => new Sgd(p, { momentum: 0.9, weightDecay: 0.01 })],
])('%s', (_, make) => {
  test('resumes bit for bit from a saved state', () => {
    const whole = tensor(start).setRequiresGrad();
    run(make(new Map([['p', whole]])), whole);

    const first = tensor(start).setRequiresGrad();
    const before = make(new Map([['p', first]]));
    run(before, first, 1, 8);
    const { step, tensors } = before.state();
    expect(step).toBe(8);
    const saved = new Map([...tensors].map(([name, one]) => [name, one.clone()]));
    const second = first.detach().clone().setRequiresGrad();
    run(before, first, 9, 12);
    const after = make(new Map([['p', second]]));
    after.restore({ step, tensors: saved });
    run(after, second, 9, 20);
    expect(second.toTypedArray()).toEqual(whole.toTypedArray());
    expect(after.state().step).toBe(20);
  });

  test('refuses a state of another optimiser, and stays unchanged', () => {
    const optimiser = make(
      new Map([
        ['p', ones([2]).setRequiresGrad()],
        ['q', ones([3]).setRequiresGrad()],
      ]),
    );
    const { tensors } = optimiser.state();
    const names = [...tensors.keys()];
    const good = new Map(names.map((name) => [name, ones(tensors.get(name)!.shape)]));
    const last = names.at(-1)!;
    for (const [change, message] of [
      [(map: Map<string, Tensor>) => map.delete(last), `lacks "${last}"`],
      [(map: Map<string, Tensor>) => map.set(last, ones([7])), 'has shape [7], expected [3]'],
      [
        (map: Map<string, Tensor>) => map.set(last, ones([3], wide)),
        'is float64, expected float32',
      ],
      [(map: Map<string, Tensor>) => map.set('more', ones([1])), '"more"'],
    ] as const) {
      const wrong = new Map(good);
      change(wrong);
      expect(() => optimiser.restore({ step: 3, tensors: wrong })).toThrow(message);
      expect(optimiser.state().step).toBe(0);
      for (const one of tensors.values()) expect(one.any()).toBe(false);
    }
    optimiser.restore({ step: 3, tensors: good });
    for (const one of tensors.values()) expect(one.all()).toBe(true);
  });

  test('outlives the scope that it was created in, until it is disposed', () => {
    const parameter = ones([2]).setRequiresGrad();
    const before = memory().tensors;
    const inner = new Scope();
    const optimiser = make(new Map([['p', parameter]]));
    inner[Symbol.dispose]();
    expect(memory().tensors).toBeGreaterThan(before);
    parameter.grad = withSeed(1, () => randn([2]));
    const count = memory().tensors;
    optimiser.step(0.1);
    expect(memory().tensors).toBe(count);
    optimiser.dispose();
    expect(memory().tensors).toBe(before + 1);
  });

  test('refuses one tensor under two names', () => {
    const shared = ones([2]).setRequiresGrad();
    expect(() =>
      make(
        new Map([
          ['a', shared],
          ['b', shared],
        ]),
      ),
    ).toThrow(/"a" and "b"/);
  });
});
