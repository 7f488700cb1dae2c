import { PythonFloat } from '@keel/model';
import { exactJson, parseExactJson } from '@keel/model/exact-json';
import { describe, expect, it } from 'vitest';
import { pack, unpack } from './transfer.ts';

describe('pack', () => {
  it('moves lists of whole numbers and flags, and unpack restores them', () => {
    const value = {
      prompt: [1, 2, -3, 2 ** 31 - 1],
      answers: [
        { tokens: [7], scored: [true, false] },
        { tokens: [], scored: [] },
      ],
      lengths: Int32Array.of(1, 2),
      text: 'x',
      none: null,
      truncated: false,
    };
    const memory: ArrayBuffer[] = [];
    const sent = structuredClone(pack(value, memory), { transfer: memory });
    expect(memory.map(({ detached }) => detached)).toEqual([true, true, true]);
    expect(unpack(sent)).toEqual(value);
  });

  it('keeps whole floats and wide numbers of rows', () => {
    const value = {
      prompt: [{ role: 'user', tool_calls: [{ t: new PythonFloat(20), z: new PythonFloat(-0) }] }],
      extra: { id: 2n ** 64n, packed: 'numbers', values: [0.5] },
    };
    const memory: ArrayBuffer[] = [];
    const sent = structuredClone(pack(value, memory), { transfer: memory });
    expect(unpack(sent)).toStrictEqual(value);
  });

  it('keeps the order of fields', () => {
    const text = '{"extra":{"b":[{"title":"x","2024":20.0,"2023":[1,2]}],"1":null}}';
    const memory: ArrayBuffer[] = [];
    const sent = structuredClone(pack(parseExactJson(text), memory), { transfer: memory });
    expect(exactJson(unpack(sent))).toBe(text);
  });

  it('does not change lists that do not fit in 32 bits', () => {
    for (const value of [[0.5], [2 ** 31], [-0], [Number.NaN], ['1'], [1, true], [[]]]) {
      const memory: ArrayBuffer[] = [];
      expect(unpack(structuredClone(pack(value, memory)))).toEqual(value);
      expect(memory).toEqual([]);
    }
  });
});
