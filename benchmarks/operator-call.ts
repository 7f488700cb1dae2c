/**
 * Measures the overhead of an operator call from TypeScript beyond its kernel.
 *
 *     node benchmarks/operator-call.ts
 *
 * Times `Tensor.add` of two one-element tensors within `tidy`, including freeing the results,
 * against the same operator called in a C++ loop with prepared arguments, also freeing results.
 * Prints both and the difference in microseconds, the median of several repetitions, and fails if
 * the difference is more than 3.
 */
import { noGrad, setThreads, type Tensor, tensor, tidy } from '@keel/torch';
import { native } from '@keel/torch/internal';

const limit = 3;
const repetitions = 15;
const calls = 20_000;
const callsInScope = 100;

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)]!;

/** Microseconds of one call from TypeScript. */
function fromTypeScript(operation: () => Tensor): number {
  const start = performance.now();
  for (let done = 0; done < calls; done += callsInScope) {
    tidy(() => {
      for (let i = 0; i < callsInScope; i++) operation();
    });
  }
  return ((performance.now() - start) * 1e3) / calls;
}

setThreads(1);
const [one, other] = [tensor([1]), tensor([2])];
const matrix = tensor([[1]]);
const cases: [string, [string, string], unknown[], () => Tensor][] = [
  ['add', ['aten::add', 'Tensor'], [one.handle, other.handle, 1], () => one.add(other)],
  ['mm', ['aten::matmul', ''], [matrix.handle, matrix.handle], () => matrix.matmul(matrix)],
  ['sum of a dimension', ['aten::sum', 'dim_IntList'], [one.handle, [0], false], () => one.sum(0)],
];

process.stdout.write(`microseconds per call, median of ${repetitions} times ${calls} calls\n`);
let worst = 0;
noGrad(() => {
  for (const [name, [operator, overload], args, operation] of cases) {
    const index = native.findOperator(operator, overload);
    // Alternate, so that a change in the machine's speed affects both.
    const both = Array.from({ length: repetitions }, () => [
      fromTypeScript(operation),
      native.timeCall(index, calls, ...args) / 1e3,
    ]).slice(1);
    const whole = median(both.map(([time]) => time!));
    const kernel = median(both.map(([, time]) => time!));
    const difference = median(both.map(([time, alone]) => time! - alone!));
    worst = Math.max(worst, difference);
    process.stdout.write(
      `${name}: ${whole.toFixed(2)} from TypeScript, ${kernel.toFixed(2)} in C++, difference ${difference.toFixed(2)}\n`,
    );
  }
});
process.stdout.write(`the largest difference is ${worst.toFixed(2)}, the limit is ${limit}\n`);
process.exitCode = worst <= limit ? 0 : 1;
