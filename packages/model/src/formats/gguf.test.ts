import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CheckpointError } from './checkpoint-error.ts';
import { cachedDefaultModel } from './default-model.ts';
import { openGguf } from './gguf.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-gguf-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const uint64 = (value: number | bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};
const text = (value: string): Buffer =>
  Buffer.concat([uint64(Buffer.byteLength(value)), Buffer.from(value)]);
const pair = (key: string, type: number, ...value: Buffer[]): Buffer =>
  Buffer.concat([text(key), uint32(type), ...value]);
const tensor = (name: string, dims: (number | bigint)[], type: number, offset: number): Buffer =>
  Buffer.concat([
    text(name),
    uint32(dims.length),
    ...dims.map(uint64),
    uint32(type),
    uint64(offset),
  ]);

interface Parts {
  magic?: string;
  version?: number;
  tensorCount?: number | bigint;
  pairCount?: number | bigint;
  pairs?: Buffer[];
  tensors?: Buffer[];
  data?: Uint8Array;
  alignment?: number;
}

const craft = (parts: Parts): string => {
  const { pairs = [], tensors = [], alignment = 32 } = parts;
  const header = Buffer.concat([
    Buffer.from(parts.magic ?? 'GGUF'),
    uint32(parts.version ?? 3),
    uint64(parts.tensorCount ?? tensors.length),
    uint64(parts.pairCount ?? pairs.length),
    ...pairs,
    ...tensors,
  ]);
  const padding = Buffer.alloc((alignment - (header.length % alignment)) % alignment);
  const file = join(folder, 'crafted.gguf');
  writeFileSync(file, Buffer.concat([header, padding, parts.data ?? Buffer.alloc(0)]));
  return file;
};

const errorOf = (file: string): CheckpointError => {
  try {
    openGguf(file).close();
  } catch (error) {
    expect(error).toBeInstanceOf(CheckpointError);
    return error as CheckpointError;
  }
  throw new Error('expected a CheckpointError');
};

const values = Float32Array.of(1, -2.5, 3, 4, 5, 1 + 2 ** -8);
const good: Parts = {
  pairs: [
    pair('general.architecture', 8, text('llama')),
    pair('a.byte', 0, Buffer.of(200)),
    pair('a.negative', 5, uint32(0xffffffff)),
    pair('a.flag', 7, Buffer.of(1)),
    pair('a.float', 6, Buffer.from(Float32Array.of(0.5).buffer)),
    pair('a.large', 10, uint64(2n ** 60n)),
    pair('a.small', 11, uint64(7)),
    pair('__proto__', 4, uint32(9)),
    pair('a.words', 9, uint32(8), uint64(2), text('ä'), text('')),
    pair('a.lists', 9, uint32(9), uint64(1), uint32(3), uint64(2), Buffer.of(1, 0, 255, 255)),
  ],
  tensors: [tensor('w', [3, 2], 0, 0), tensor('h', [2], 30, 32)],
  data: Buffer.concat([
    Buffer.from(values.buffer),
    Buffer.alloc(8),
    Buffer.of(0x80, 0x3f, 0, 0xc0),
  ]),
};

describe('openGguf', () => {
  it('reads metadata of every kind and tensors in row-major shape', () => {
    using gguf = openGguf(craft(good));
    expect(Object.entries(gguf.metadata)).toEqual([
      ['general.architecture', 'llama'],
      ['a.byte', 200],
      ['a.negative', -1],
      ['a.flag', true],
      ['a.float', 0.5],
      ['a.large', 2n ** 60n],
      ['a.small', 7],
      ['__proto__', 9],
      ['a.words', ['ä', '']],
      ['a.lists', [[1, -1]]],
    ]);
    expect(gguf.names()).toEqual(['w', 'h']);
    expect(gguf.info('w')).toEqual({ type: 'F32', shape: [2, 3], byteLength: 24 });
    expect(gguf.readFloat32('w')).toEqual(values);
    expect([...gguf.readBfloat16('w')]).toEqual([0x3f80, 0xc020, 0x4040, 0x4080, 0x40a0, 0x3f80]);
    expect([...gguf.readFloat32('h')]).toEqual([1, -2]);
    expect([...gguf.readBfloat16('h')]).toEqual([0x3f80, 0xc000]);
    expect(gguf.has('v')).toBe(false);
    expect(() => gguf.readFloat32('v')).toThrow(/"v".*is not in crafted\.gguf/);
  });

  it('follows general.alignment', () => {
    const file = craft({
      pairs: [pair('general.alignment', 4, uint32(256))],
      tensors: [tensor('w', [3, 2], 0, 256)],
      data: Buffer.concat([Buffer.alloc(256), Buffer.from(values.buffer)]),
      alignment: 256,
    });
    using gguf = openGguf(file);
    expect(gguf.readFloat32('w')).toEqual(values);
  });

  it('reads a tensor larger than a piece identically with both readers', () => {
    const blocks = 20_000;
    const data = Buffer.alloc(blocks * 34);
    for (let at = 0; at < data.length; at += 1) data[at] = (at * 7) % 251;
    for (let at = 0; at < data.length; at += 34) data.writeUInt16LE(0x2e66 + (at % 100), at);
    using gguf = openGguf(craft({ tensors: [tensor('q', [64, blocks / 2], 8, 0)], data }));
    const floats = gguf.readFloat32('q');
    expect(floats.length).toBe(blocks * 32);
    const last = data.subarray(-34);
    expect(floats.at(-1)).toBe(
      Math.fround(
        new DataView(last.buffer, last.byteOffset).getFloat16(0, true) * last.readInt8(33),
      ),
    );
    const rounded = gguf.readBfloat16('q');
    const widened = new Float32Array(Uint32Array.from(rounded, (bits) => bits << 16).buffer);
    for (let index = 0; index < floats.length; index += 997) {
      expect(Math.abs(widened[index]! - floats[index]!)).toBeLessThanOrEqual(
        Math.abs(floats[index]!) * 2 ** -8,
      );
    }
  });
});

describe('damaged and inconsistent GGUF', () => {
  const data = Buffer.alloc(64);
  it.each<[string, Parts, RegExp]>([
    ['another file', { magic: 'GGML' }, /not a GGUF file/],
    ['version 1', { version: 1 }, /version 1, expected 2 or 3/],
    ['big-endian', { version: 0x03000000 }, /big-endian/],
    ['absurd number of tensors', { tensorCount: 2n ** 40n }, /number of tensors is 1099511627776/],
    ['number beyond any file', { tensorCount: 2n ** 63n }, /no file can hold/],
    ['absurd number of entries', { pairCount: 1e9 }, /number of metadata entries is 1000000000/],
    [
      'key longer than the file',
      { pairCount: 1, pairs: [uint64(1e6), data] },
      /length of the name/,
    ],
    [
      'string longer than the file',
      { pairs: [pair('k', 8, uint64(1e12), data)] },
      /length of metadata "k"/,
    ],
    ['unknown value type', { pairs: [pair('k', 13, data)] }, /"k" has the unknown value type 13/],
    [
      'unknown element type',
      { pairs: [pair('k', 9, uint32(99), uint64(1), data)] },
      /element type 99/,
    ],
    [
      'array longer than the file',
      { pairs: [pair('k', 9, uint32(0), uint64(1e9))] },
      /length of metadata "k"/,
    ],
    [
      'array of strings longer than the file',
      { pairs: [pair('k', 9, uint32(8), uint64(99), data)] },
      /cannot hold/,
    ],
    [
      'endless nesting',
      { pairs: [pair('k', 9, ...new Array(9).fill([uint32(9), uint64(1)]).flat(), data)] },
      /"k" has lists/,
    ],
    [
      'duplicate key',
      { pairs: [pair('k', 0, Buffer.of(1)), pair('k', 0, Buffer.of(1))] },
      /"k".*twice/,
    ],
    [
      'alignment not a power of two',
      { pairs: [pair('general.alignment', 4, uint32(24))] },
      /is 24, expected a power/,
    ],
    [
      'alignment zero',
      { pairs: [pair('general.alignment', 4, uint32(0))] },
      /is 0, expected a power/,
    ],
    [
      'duplicate tensor',
      { tensors: [tensor('w', [1], 0, 0), tensor('w', [1], 0, 32)], data },
      /"w": is listed twice/,
    ],
    [
      'unknown tensor type',
      { tensors: [tensor('w', [1], 77, 0)], data },
      /"w": has the unknown type 77/,
    ],
    ['unsupported type', { tensors: [tensor('w', [256], 21, 0)], data }, /"w": is stored as IQ3_S/],
    [
      'five dimensions',
      { tensors: [tensor('w', [1, 1, 1, 1, 1], 0, 0)], data },
      /"w": has 5 dimensions/,
    ],
    [
      'absurd dimensions',
      { tensors: [tensor('w', [2 ** 40, 2 ** 40], 0, 0)], data },
      /"w": .*counted/,
    ],
    [
      'rows of half a block',
      { tensors: [tensor('w', [48, 2], 3, 0)], data },
      /"w": has rows of 48/,
    ],
    [
      'tensor outside the file',
      { tensors: [tensor('w', [17], 0, 0)], data },
      /"w": takes bytes .* ends at/,
    ],
    [
      'offset outside the file',
      { tensors: [tensor('w', [1], 0, 2 ** 40)], data },
      /"w": takes bytes/,
    ],
    ['offset not aligned', { tensors: [tensor('w', [1], 0, 4)], data }, /"w": its offset 4/],
    [
      'overlap',
      { tensors: [tensor('w', [16], 0, 0), tensor('v', [4], 0, 32)], data },
      /"v":.* byte \d+, inside tensor "w"/,
    ],
  ])('%s', (_, parts, message) => {
    expect(errorOf(craft(parts)).message).toMatch(message);
  });

  it('every truncation of a good file is an error', () => {
    const whole = readFileSync(craft(good));
    for (let length = 0; length < whole.length; length += 1) {
      writeFileSync(join(folder, 'cut.gguf'), whole.subarray(0, length));
      errorOf(join(folder, 'cut.gguf'));
    }
  });

  it('a flipped byte only causes an error or other contents', () => {
    const whole = readFileSync(craft(good));
    for (let at = 0; at < whole.length; at += 1) {
      for (const flip of [0x01, 0x40, 0xff]) {
        const changed = Buffer.from(whole);
        changed[at]! ^= flip;
        writeFileSync(join(folder, 'flipped.gguf'), changed);
        try {
          using gguf = openGguf(join(folder, 'flipped.gguf'));
          for (const name of gguf.names()) {
            expect(gguf.readFloat32(name).length).toBeLessThan(64);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(CheckpointError);
        }
      }
    }
  });
});

const model = cachedDefaultModel();
describe.skipIf(!model)('the default model', () => {
  it('opens, with Q4_1 weights of sane size', () => {
    using gguf = openGguf(model!);
    expect(gguf.metadata['general.architecture']).toBe('llama');
    expect((gguf.metadata['tokenizer.ggml.tokens'] as string[]).length).toBe(49_152);
    expect(gguf.info('token_embd.weight')).toMatchObject({ type: 'Q8_0', shape: [49_152, 576] });
    expect(gguf.info('blk.0.ffn_down.weight')).toMatchObject({ type: 'Q4_1', shape: [576, 1536] });
    const weights = gguf.readFloat32('blk.29.attn_q.weight');
    expect(weights.length).toBe(576 * 576);
    expect(weights.every((weight) => Math.abs(weight) < 4)).toBe(true);
  });
});
