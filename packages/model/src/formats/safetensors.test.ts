import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { goldenPath } from '@keel/torch/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CheckpointError } from './checkpoint-error.ts';
import { openSafetensors } from './safetensors.ts';
import { writeSafetensors } from './safetensors-writer.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-safetensors-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const path = (name: string): string => join(folder, name);

/** Writes a file with this header (an object, or literal text) and this many bytes of data. */
const craft = (header: unknown, dataBytes = 0, claimed?: bigint): string => {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(claimed ?? BigInt(json.length));
  const file = path('crafted.safetensors');
  writeFileSync(file, Buffer.concat([length, json, Buffer.alloc(dataBytes)]));
  return file;
};

const raw = (contents: string): string => {
  writeFileSync(path('raw.safetensors'), contents);
  return path('raw.safetensors');
};

const errorOf = (file: string): CheckpointError => {
  try {
    openSafetensors(file).close();
  } catch (error) {
    expect(error).toBeInstanceOf(CheckpointError);
    return error as CheckpointError;
  }
  throw new Error('expected a CheckpointError');
};

const entry = (dtype: unknown, shape: unknown, begin: unknown, end: unknown) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

const float = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

describe('writeSafetensors and openSafetensors', () => {
  it('restore what was written, aligned, with metadata and no leftover files', () => {
    const file = path('round/trip/model.safetensors');
    writeSafetensors(
      file,
      [
        { name: 'odd', dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 3) },
        { name: 'weight', dtype: 'F32', shape: [2, 2], data: () => float(1, -2, 3.5, 4) },
        { name: 'empty', dtype: 'I64', shape: [0, 7], data: new Uint8Array(0) },
        { name: 'scalar', dtype: 'BF16', shape: [], data: Uint8Array.of(0x80, 0x3f) },
        { name: '__proto__', dtype: 'F64', shape: [1], data: new Uint8Array(8) },
      ],
      { format: 'pt' },
    );
    expect(readdirSync(path('round/trip'))).toEqual(['model.safetensors']);
    expect((8n + readFileSync(file).readBigUInt64LE(0)) % 64n).toBe(0n);
    using tensors = openSafetensors(path('round/trip'));
    expect(tensors.metadata).toEqual({ format: 'pt' });
    expect(tensors.names().sort()).toEqual(['__proto__', 'empty', 'odd', 'scalar', 'weight']);
    expect(tensors.info('weight')).toEqual({ dtype: 'F32', shape: [2, 2], byteLength: 16 });
    const bytes = tensors.read('weight');
    expect([...new Float32Array(bytes.buffer)]).toEqual([1, -2, 3.5, 4]);
    expect([...tensors.read('odd')]).toEqual([1, 2, 3]);
    expect(tensors.read('empty').length).toBe(0);
    expect(tensors.info('scalar').shape).toEqual([]);
    expect(tensors.has('other')).toBe(false);
    expect(() => tensors.read('other')).toThrow(/"other".*is not in model\.safetensors/);
  });

  it('orders tensors so that each starts at a multiple of its element size', () => {
    const file = path('aligned.safetensors');
    writeSafetensors(file, [
      { name: 'a', dtype: 'U8', shape: [1], data: new Uint8Array(1) },
      { name: 'b', dtype: 'F16', shape: [1], data: new Uint8Array(2) },
      { name: 'c', dtype: 'F64', shape: [1], data: new Uint8Array(8) },
    ]);
    const bytes = readFileSync(file);
    const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString());
    expect(header.c.data_offsets).toEqual([0, 8]);
    expect(header.b.data_offsets).toEqual([8, 10]);
    expect(header.a.data_offsets).toEqual([10, 11]);
  });

  it('leaves the old file unchanged, and no leftover files, if writing fails', () => {
    const file = path('kept/model.safetensors');
    const good = { name: 'a', dtype: 'F32', shape: [1], data: float(1) } as const;
    writeSafetensors(file, [{ ...good, shape: [1] }]);
    const before = readFileSync(file);
    const short = { name: 'b', dtype: 'F32' as const, shape: [2], data: () => float(1) };
    expect(() => writeSafetensors(file, [{ ...good, shape: [1] }, short])).toThrow(/"b".*4 bytes/);
    expect(() => writeSafetensors(file, [short, short])).toThrow(/"b".*name/);
    expect(() => writeSafetensors(file, [{ ...good, shape: [-1] }])).toThrow(/-1/);
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(readdirSync(path('kept'))).toEqual(['model.safetensors']);
  });

  it('refuses reading after close', () => {
    const file = path('closed.safetensors');
    writeSafetensors(file, [{ name: 'a', dtype: 'F32', shape: [1], data: float(1) }]);
    const tensors = openSafetensors(file);
    tensors.close();
    tensors.close();
    expect(() => tensors.read('a')).toThrow(/closed/);
  });
});

describe('damaged and inconsistent safetensors', () => {
  const good = { a: entry('F32', [2], 0, 8) };

  it.each<[string, () => string, RegExp]>([
    ['too short', () => raw('abc'), /at least 8 bytes/],
    ['header longer than the file', () => craft(good, 8, 4096n), /claims 4096 bytes, but the file/],
    ['header of 2^63 bytes', () => craft(good, 8, 1n << 63n), /at most 100000000/],
    ['header not JSON', () => craft('{"a": nope'), /header is not JSON/],
    ['header not UTF-8', () => craft(good, 8, 2n), /not JSON/],
    ['header a list', () => craft('[1]'), /not a JSON object/],
    ['truncated data', () => craft(good, 7), /"a".*\[0, 8\].* 7 bytes/],
    ['bytes after the last tensor', () => craft(good, 9), /its tensors end at/],
    ['not an object', () => craft({ a: 3 }), /"a".*expected an object/],
    ['unknown dtype', () => craft({ a: entry('F33', [2], 0, 8) }, 8), /"a".*"F33" is unknown/],
    ['dtype of the prototype', () => craft({ a: entry('toString', [2], 0, 8) }, 8), /unknown/],
    ['negative size', () => craft({ a: entry('F32', [-2], 0, 8) }, 8), /"a".*\[-2\]/],
    ['fractional size', () => craft({ a: entry('F32', [0.5], 0, 2) }, 2), /\[0\.5\]/],
    ['huge size', () => craft({ a: entry('F32', [1e300], 0, 8) }, 8), /"a".*\[1e\+300\]/],
    ['huge product', () => craft({ a: entry('F32', [2 ** 40, 2 ** 40], 0, 8) }, 8), /counted/],
    ['many dimensions', () => craft({ a: entry('F32', new Array(99).fill(1), 0, 4) }, 4), /99 dim/],
    ['shape not a list', () => craft({ a: entry('F32', 2, 0, 8) }, 8), /not a list/],
    [
      'shape that does not match the bytes',
      () => craft({ a: entry('F32', [3], 0, 8) }, 8),
      /takes 12/,
    ],
    ['reversed offsets', () => craft({ a: entry('F32', [2], 8, 0) }, 8), /\[8, 0\]/],
    ['negative offset', () => craft({ a: entry('F32', [2], -8, 0) }, 8), /\[-8, 0\]/],
    ['offsets not numbers', () => craft({ a: entry('F32', [2], '0', 8) }, 8), /whole numbers/],
    [
      'overlap',
      () => craft({ a: entry('F32', [2], 0, 8), b: entry('F32', [2], 4, 12) }, 12),
      /"b".*inside tensor "a".*overlap/,
    ],
    [
      'hole',
      () => craft({ a: entry('F32', [1], 0, 4), b: entry('F32', [1], 8, 12) }, 12),
      /"b".*belong to no tensor/,
    ],
    [
      'duplicate name',
      () => craft(`{"a":${JSON.stringify(good.a)},"\\u0061":${JSON.stringify(good.a)}}`, 8),
      /"a".*twice/,
    ],
    ['metadata not text', () => craft({ __metadata__: { a: 1 } }), /__metadata__/],
    ['no file', () => path('absent.safetensors'), /does not exist/],
    ['a folder without weights', () => mkdtempSync(path('none-')), /found no weights/],
  ])('%s', (_, make, message) => {
    const file = make();
    const error = errorOf(file);
    expect(error.message).toMatch(message);
    expect(error.file).toBe(file);
    expect(error.message).toContain(file);
  });

  it('every truncation of a good file is an error', () => {
    const file = path('whole.safetensors');
    writeSafetensors(file, [{ name: 'a', dtype: 'F32', shape: [2], data: float(1, 2) }]);
    const whole = readFileSync(file);
    for (let length = 0; length < whole.length; length += 1) {
      writeFileSync(path('cut.safetensors'), whole.subarray(0, length));
      errorOf(path('cut.safetensors'));
    }
  });

  it('a flipped header byte only causes an error or other names', () => {
    const file = craft({ ...good, bb: entry('I64', [1, 1], 8, 16) }, 16);
    const whole = readFileSync(file);
    for (let at = 0; at < whole.length - 16; at += 1) {
      for (const flip of [0x01, 0x08, 0x80]) {
        const changed = Buffer.from(whole);
        changed[at]! ^= flip;
        writeFileSync(path('flipped.safetensors'), changed);
        try {
          using tensors = openSafetensors(path('flipped.safetensors'));
          for (const name of tensors.names()) expect(tensors.read(name).length).toBe(8);
        } catch (error) {
          expect(error).toBeInstanceOf(CheckpointError);
        }
      }
    }
  });
});

describe('sharded safetensors', () => {
  const shard = (name: string, tensor: string, value: number): void =>
    writeSafetensors(path(`sharded/${name}`), [
      { name: tensor, dtype: 'F32', shape: [1], data: float(value) },
    ]);
  const index = (map: unknown): string => {
    writeFileSync(
      path('sharded/model.safetensors.index.json'),
      JSON.stringify({ metadata: { total_size: 8 }, weight_map: map }),
    );
    return path('sharded');
  };
  beforeAll(() => {
    shard('one.safetensors', 'a', 1);
    shard('two.safetensors', 'b', 2);
  });

  it('reads each tensor from its shard', () => {
    using tensors = openSafetensors(index({ b: 'two.safetensors', a: 'one.safetensors' }));
    expect(tensors.names()).toEqual(['b', 'a']);
    expect(new Float32Array(tensors.read('a').buffer)[0]).toBe(1);
    expect(new Float32Array(tensors.read('b').buffer)[0]).toBe(2);
  });

  it('names a tensor of a shard that the index does not place there', () => {
    index({ a: 'one.safetensors', b: 'two.safetensors' });
    const both = ['a', 'b'].map((name) => ({
      ...{ name, dtype: 'F32' as const, shape: [1] },
      data: float(3),
    }));
    writeSafetensors(path('sharded/two.safetensors'), both);
    expect(errorOf(path('sharded')).message).toMatch(
      /two\.safetensors: tensor "a": .*model\.safetensors\.index\.json .* one\.safetensors/,
    );
    expect(errorOf(index({ b: 'two.safetensors' })).message).toMatch(
      /"a": is in this shard, but not in model.safetensors.index.json/,
    );
    shard('two.safetensors', 'b', 2);
  });

  it.each<[string, unknown, RegExp]>([
    ['shard missing', { a: 'three.safetensors' }, /"a".*three\.safetensors, which is missing/],
    ['tensor not in its shard', { b: 'one.safetensors' }, /"b".*one\.safetensors/],
    ['shard outside of the folder', { a: '../one.safetensors' }, /"a": its shard is/],
    ['shard not a name', { a: 7 }, /"a": its shard is/],
    ['no weight map', [], /weight_map/],
  ])('%s', (_, map, message) => {
    expect(errorOf(index(map)).message).toMatch(message);
  });
});

const golden = goldenPath('models/llama');
describe('safetensors of transformers', () => {
  it('has the tensors and shapes that the configuration gives', () => {
    using tensors = openSafetensors(golden);
    expect(tensors.metadata).toEqual({ format: 'pt' });
    const config = JSON.parse(readFileSync(join(golden, 'config.json'), 'utf8'));
    expect(tensors.info('model.embed_tokens.weight')).toMatchObject({
      dtype: 'F32',
      shape: [config.vocab_size, config.hidden_size],
    });
    using expected = openSafetensors(join(golden, 'expected.safetensors'));
    expect(expected.info('logits').shape).toEqual([3, 16, 256]);
  });
});
