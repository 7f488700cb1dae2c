import { describe, expect, it } from 'vitest';
import { describeOtherMachine, refuseOtherInputs } from './run-identity.ts';

const files = (...named: [string, string][]) => ({
  '--data': named.map(([name, sha256]) => ({ name, sha256 })),
});
const [a, b] = [
  ['a.jsonl', '1'],
  ['b.jsonl', '2'],
] as [string, string][] as [[string, string], [string, string]];
const compare = (saved: ReturnType<typeof files>, now: ReturnType<typeof files>) => () =>
  refuseOtherInputs('step-3', saved, now);

describe('inputs', () => {
  it('are the same wherever the files are', () => {
    expect(compare(files(a, b), files(a, b))).not.toThrow();
    expect(compare(files(a, b), files(['x/a.jsonl', '1'], ['x/b.jsonl', '2']))).not.toThrow();
  });

  it('differ by content, number and order, and the message names the file', () => {
    expect(compare(files(a, b), files(a, ['b.jsonl', '3']))).toThrow(
      /^step-3: .* rewards: --data b\.jsonl has changed \(SHA-256 2…, now 3…\)\. Restore/,
    );
    expect(compare(files(a, b), files(a))).toThrow(/--data b\.jsonl is missing\./);
    expect(compare(files(a), files(a, b))).toThrow(/--data b\.jsonl was not there\./);
    expect(compare(files(a, b), files(b, a))).toThrow(/--data has its files in another order/);
  });
});

it('describes how machines differ', () => {
  const machine = { precision: 'bf16', device: 'cuda:0', threads: 2, software: 'x' };
  expect(describeOtherMachine(machine, { ...machine })).toBeNull();
  expect(describeOtherMachine(machine, { ...machine, precision: 'fp32', device: 'cpu' })).toMatch(
    /^precision was bf16, now fp32; device was cuda:0, now cpu: .*not bit for bit$/,
  );
});
