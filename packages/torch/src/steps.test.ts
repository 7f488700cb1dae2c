import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { noGrad } from './autograd.ts';
import { ones, zeros } from './create.ts';
import { memory, Scope, tidy } from './scope.ts';
import { atOnce, inTurns, noGradSteps, type Steps, tidySteps, within } from './steps.ts';
import type { Tensor } from './tensor.ts';

const kept: Tensor[] = [];
afterEach(() => {
  for (const tensor of kept.splice(0)) tensor.dispose();
});

/** Creates a tensor before and after each of `pauses`, and returns the sum of all. */
function* summing(pauses: number): Steps<Tensor> {
  let sum = ones([2]);
  for (let i = 0; i < pauses; i++) {
    yield;
    sum = sum.add(ones([2]));
  }
  return sum;
}

it("frees the steps' tensors except the result, at once or in turns", async () => {
  const before = memory().tensors;
  const first = atOnce(tidySteps(summing(3)));
  expect(first.toArray()).toEqual([4, 4]);
  expect(memory().tensors).toBe(before + 1);
  first.dispose();
  const second = await inTurns(tidySteps(summing(3)));
  expect(second.toArray()).toEqual([4, 4]);
  expect(memory().tensors).toBe(before + 1);
  second.dispose();
});

it('tensors created in a pause are not freed with the steps', () => {
  const steps = tidySteps(summing(2));
  steps.next();
  kept.push(ones([1]));
  const result = atOnce(steps);
  expect(kept[0]!.toArray()).toEqual([1]);
  result.dispose();
});

it('a result goes to the scope of the last step', () => {
  const before = memory().tensors;
  tidy(() => {
    using inner = new Scope();
    atOnce(tidySteps(summing(1)));
    expect(memory().tensors).toBe(before + 1);
    inner[Symbol.dispose]();
    expect(memory().tensors).toBe(before);
  });
});

it('gradients are recorded in the pauses but not in the steps', () => {
  const leaf = ones([1]).setRequiresGrad();
  kept.push(leaf);
  function* recorded(): Steps<boolean[]> {
    const found = [leaf.mul(2).requiresGrad];
    yield;
    found.push(leaf.mul(2).requiresGrad);
    return found;
  }
  const steps = tidySteps(noGradSteps(recorded()));
  steps.next();
  expect(tidy(() => leaf.mul(2).requiresGrad)).toBe(true);
  expect(noGrad(() => atOnce(steps))).toEqual([false, false]);
  expect(tidy(() => leaf.mul(2).requiresGrad)).toBe(true);
});

it('leaves what it entered when a step fails, and frees created tensors', () => {
  const before = memory().tensors;
  let inside = 0;
  function* failing(): Steps<Tensor> {
    yield* summing(1);
    throw new Error('broken');
  }
  const enter = () => {
    inside += 1;
    return () => {
      inside -= 1;
    };
  };
  expect(() => atOnce(within(enter, tidySteps(failing())))).toThrow('broken');
  expect(inside).toBe(0);
  expect(memory().tensors).toBe(before);
});

describe('a step that waits', () => {
  const log: string[] = [];
  function* waiting(): Steps<number> {
    using first = zeros([1]);
    log.push('asks');
    yield async () => {
      // Outside of the scope and of the gradient mode of the steps.
      using made = zeros([1]).keep().setRequiresGrad();
      using product = made.mul(2).keep();
      await setImmediate();
      log.push(`waits, ${product.requiresGrad}`);
    };
    log.push(`has waited, ${first.disposed}`);
    return 3;
  }

  it('is awaited in turns, whatever is around it', async () => {
    const before = memory().tensors;
    expect(await inTurns(noGradSteps(tidySteps(waiting())))).toBe(3);
    expect(log).toEqual(['asks', 'waits, true', 'has waited, false']);
    expect(memory().tensors).toBe(before);
  });

  it('is refused at once', () => {
    expect(() => atOnce(waiting())).toThrow(/divided among processes/);
  });
});
