import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WrittenTypeName } from './ggml-types.ts';
import { openGguf } from './gguf.ts';
import { type GgufValue, writeGguf } from './gguf-writer.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-gguf-writer-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const metadata = new Map<string, GgufValue>([
  ['general.architecture', { type: 'string', value: 'llama' }],
  ['a.count', { type: 'uint32', value: 3_000_000_000 }],
  ['a.negative', { type: 'int32', value: -5 }],
  ['a.float', { type: 'float32', value: 0.25 }],
  ['a.flag', { type: 'bool', value: true }],
  ['a.words', { type: 'strings', value: ['ä', '', '<|end|>\n'] }],
  ['a.types', { type: 'int32s', value: [1, -3] }],
  ['a.scores', { type: 'float32s', value: [-1, 0.5] }],
]);
const tensor = (name: string, type: WrittenTypeName, shape: number[], values: number[]) => ({
  ...{ name, type, shape },
  values: () => Float32Array.from(values),
});

describe('writeGguf', () => {
  it('writes metadata and tensors that the reader gives back', () => {
    const path = join(folder, 'a.gguf');
    const ramp = Array.from({ length: 64 }, (_, i) => (i - 31) / 16);
    const told: [number, number][] = [];
    writeGguf(
      path,
      metadata,
      [
        tensor('w', 'F32', [2, 3], [1, -2, 3, 4, 5, 6.5]),
        tensor('h', 'F16', [3], [1, 0.5, -65_504]),
        tensor('q', 'Q8_0', [1, 64], ramp),
      ],
      { onProgress: (done, total) => told.push([done, total]) },
    );
    using file = openGguf(path);
    expect(file.metadata).toEqual(
      Object.fromEntries([...metadata].map(([key, { value }]) => [key, value])),
    );
    expect(file.info('w')).toEqual({ type: 'F32', shape: [2, 3], byteLength: 24 });
    expect([...file.readFloat32('w')]).toEqual([1, -2, 3, 4, 5, 6.5]);
    expect([...file.readFloat32('h')]).toEqual([1, 0.5, -65_504]);
    file.readFloat32('q').forEach((value, i) => {
      expect(Math.abs(value - ramp[i]!)).toBeLessThan(0.01);
    });
    expect(told).toEqual([
      [0, 98],
      [24, 98],
      [30, 98],
    ]);
  });

  it.each<[string, ReturnType<typeof tensor>[], RegExp]>([
    ['a weight that F16 cannot hold', [tensor('h', 'F16', [2], [1, 7e4])], /70000.*F16/],
    ['a weight that is not a number', [tensor('w', 'F32', [1], [Number.NaN])], /NaN/],
    ['rows that are not whole blocks', [tensor('q', 'Q4_K', [1, 64], [])], /rows of 64/],
    ['other values than the shape says', [tensor('w', 'F32', [2], [1])], /has 1 values/],
    [
      'a name that is used twice',
      [tensor('w', 'F32', [1], [1]), tensor('w', 'F32', [1], [1])],
      /already used/,
    ],
    ['a name that is too long', [tensor('w'.repeat(64), 'F32', [1], [1])], /64 characters/],
  ])('refuses %s and leaves no file', (_, tensors, message) => {
    const path = join(folder, 'refused.gguf');
    expect(() => writeGguf(path, metadata, tensors)).toThrow(message);
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([]);
  });
});
