import { afterEach, expect, it } from 'vitest';
import { noGrad } from './autograd.ts';
import { ones } from './create.ts';
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
