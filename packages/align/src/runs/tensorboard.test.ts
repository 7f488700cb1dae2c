import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { crc32c, maskedCrc32c } from './crc32c.ts';
import { varint } from './protobuf.ts';
import { TensorBoardWriter, tensorBoardTag } from './tensorboard.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-events-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('checksum', () => {
  test("RFC 3720's examples", () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  });

  test('rotating back undoes the mask', () => {
    const rotated = maskedCrc32c(Buffer.from('123456789')) - 0xa282ead8;
    expect(((rotated << 15) | (rotated >>> 17)) >>> 0).toBe(0xe3069283);
  });
});

test('variable-length integers', () => {
  expect([...varint(0)]).toEqual([0]);
  expect([...varint(127)]).toEqual([127]);
  expect([...varint(300)]).toEqual([0xac, 0x02]);
  expect([...varint(2 ** 40)]).toEqual([0x80, 0x80, 0x80, 0x80, 0x80, 0x20]);
});

/** Bytewise checksum without a table, so that the reader shares no code with the writer. */
function slowCrc(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  const value = ~crc >>> 0;
  return (((value >>> 15) | (value << 17)) + 0xa282ead8) >>> 0;
}

function records(file: Buffer): Buffer[] {
  const result: Buffer[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    const data = file.subarray(at + 12, at + 12 + length);
    expect(file.readUInt32LE(at + 8)).toBe(slowCrc(file.subarray(at, at + 8)));
    expect(file.readUInt32LE(at + 12 + length)).toBe(slowCrc(data));
    result.push(data);
    at += 16 + length;
  }
  return result;
}

type Fields = Record<number, (number | Buffer)[]>;

function message(bytes: Buffer): Fields {
  const fields: Fields = {};
  let at = 0;
  const take = (length: number): Buffer => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  const integer = (): number => {
    for (let value = 0, shift = 1; ; shift *= 128) {
      const byte = take(1)[0]!;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = integer();
    let value: number | Buffer;
    if (key % 8 === 0) value = integer();
    else if (key % 8 === 1) value = take(8).readDoubleLE();
    else if (key % 8 === 5) value = take(4).readFloatLE();
    else value = take(integer());
    const field = Math.floor(key / 8);
    fields[field] = [...(fields[field] ?? []), value];
  }
  return fields;
}

const nested = (fields: Fields, field: number): Fields => message(fields[field]![0] as Buffer);

test('scalars and texts are read back from the file', () => {
  const now = () => 1_700_000_000_500;
  using writer = new TensorBoardWriter(folder, { resumeFrom: 2, now });
  writer.metrics({ step: 3, loss: 0.5, 'rewards/margins': -1.25, eval_loss: Number.NaN });
  writer.text(300, 'config', 'beta: 0.1 – ja');
  writer.sync();
  expect(basename(writer.path)).toBe(`events.out.tfevents.1700000000.${hostname()}.${process.pid}`);
  const [version, session, scalars, text] = records(readFileSync(writer.path)).map(message);

  expect(version![1]).toEqual([1_700_000_000.5]);
  expect(String(version![3]![0])).toBe('brain.Event:2');
  expect([session![2], nested(session!, 7)[1]]).toEqual([[3], [1]]);
  expect(scalars![2]).toEqual([3]);
  const values = nested(scalars!, 5)[1]!.map((value) => message(value as Buffer));
  expect(values.map((value) => [String(value[1]![0]), value[2]![0]])).toEqual([
    ['train/loss', 0.5],
    ['train/rewards/margins', -1.25],
    ['eval/loss', Number.NaN],
  ]);
  expect(text![2]).toEqual([300]);
  const value = nested(nested(text!, 5), 1);
  expect(String(value[1]![0])).toBe('config');
  expect(String(nested(nested(value, 9), 1)[1]![0])).toBe('text');
  const tensor = nested(value, 8);
  expect(tensor[1]).toEqual([7]);
  expect(nested(nested(tensor, 2), 2)[1]).toEqual([1]);
  expect(String(tensor[8]![0])).toBe('beta: 0.1 – ja');
});

test('tags are the same as in TRL', () => {
  expect(tensorBoardTag('logps/chosen')).toBe('train/logps/chosen');
  expect(tensorBoardTag('eval_rewards/margins')).toBe('eval/rewards/margins');
});
