import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { memory } from './index.ts';
import { MappedFile } from './map-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-map-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(values: Float32Array): string {
  const path = join(folder, `${values.length}.bin`);
  writeFileSync(path, new Uint8Array(values.buffer));
  return path;
}

describe('MappedFile', () => {
  const values = Float32Array.from({ length: 64 }, (_, i) => i / 3);

  it('creates tensors from the bytes, which outlive it', () => {
    const mapped = new MappedFile(fileOf(values), values.byteLength);
    using part = mapped.tensor(64, 'float32', [3, 4]);
    using bits = mapped.tensor(64, 'bfloat16', [2]);
    mapped[Symbol.dispose]();
    expect(part.shape).toEqual([3, 4]);
    expect(part.toTypedArray()).toEqual(values.slice(16, 28));
    const halves = new Uint16Array(values.buffer, 64, 2);
    expect(bits.toTypedArray()).toEqual(halves);
  });

  it('never writes to the file', () => {
    const path = fileOf(values);
    using mapped = new MappedFile(path, values.byteLength);
    using part = mapped.tensor(0, 'float32', [64]);
    part.zero_();
    expect(part.toArray().every((value) => value === 0)).toBe(true);
    expect(new Uint8Array(readFileSync(path))).toEqual(new Uint8Array(values.buffer));
  });

  it('frees the mapping with its last tensor', () => {
    const before = memory().tensors;
    const mapped = new MappedFile(fileOf(values), values.byteLength);
    const part = mapped.tensor(0, 'float32', [64]);
    mapped[Symbol.dispose]();
    part.dispose();
    expect(memory().tensors).toBe(before);
  });

  it('refuses ranges outside the file, and files that are too short', () => {
    const path = fileOf(values);
    using mapped = new MappedFile(path, values.byteLength);
    expect(() => mapped.tensor(2, 'float32', [1])).toThrow(RangeError);
    expect(() => mapped.tensor(192, 'float32', [17])).toThrow(/68 bytes of float32 at 192/);
    expect(() => new MappedFile(path, values.byteLength + 1)).toThrow();
    expect(() => new MappedFile(join(folder, 'none.bin'), 4)).toThrow();
  });
});

it.skipIf(process.platform === 'win32')(
  'names a truncated file whose pages are gone, and exits with 1',
  () => {
    const path = join(folder, 'cut');
    writeFileSync(path, Buffer.alloc(1 << 20, 1));
    const program = `
      import { truncateSync } from 'node:fs';
      import { MappedFile } from ${JSON.stringify(new URL('./map-file.ts', import.meta.url).href)};
      const file = new MappedFile(process.argv[1], 1 << 20);
      const last = file.tensor((1 << 20) - 64, 'uint8', [64]);
      truncateSync(process.argv[1], 4096);
      console.log(last.sum().item());
    `;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module-typescript', '--eval', program, path],
      { encoding: 'utf8' },
    );
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`error: ${path}: the file was`);
  },
);
