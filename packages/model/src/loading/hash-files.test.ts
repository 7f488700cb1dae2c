import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { hashFiles } from './hash-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-hash-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

describe('hashFiles', () => {
  it('hashes the contents in their order', async () => {
    const [a, b] = [file('a', 'one'), file('b', 'two')];
    expect(await hashFiles([a, b])).toBe(sha256('onetwo'));
    expect(await hashFiles([b, a])).toBe(sha256('twoone'));
  });

  it('caches a hash until a file changes, even if size and time are restored', async () => {
    const cache = join(folder, 'cache');
    const options = { cache, rememberedBytes: 3, settledAfter: 0 };
    const path = file('weights', 'aaaa');
    utimesSync(path, 1000, 1000);
    expect(await hashFiles([path], options)).toBe(sha256('aaaa'));
    const [name] = readdirSync(join(cache, 'hashes'));
    const remembered = join(cache, 'hashes', name!);
    // The cached hash is returned: the file is not read again.
    const text = readFileSync(remembered, 'utf8');
    writeFileSync(remembered, text.replace(sha256('aaaa'), sha256('else')));
    expect(await hashFiles([path], options)).toBe(sha256('else'));
    writeFileSync(path, 'bbbb');
    utimesSync(path, 1000, 1000);
    expect(await hashFiles([path], options)).toBe(sha256('bbbb'));
    expect(readdirSync(join(cache, 'hashes'))).toEqual([name]);
    writeFileSync(remembered, '{"files":');
    expect(await hashFiles([path], options)).toBe(sha256('bbbb'));
  });

  it('caches no hashes of small files or of files that have just changed', async () => {
    const cache = join(folder, 'other');
    const path = file('fresh', 'aaaa');
    await hashFiles([path], { cache });
    await hashFiles([path], { cache, rememberedBytes: 3 });
    expect(() => readdirSync(join(cache, 'hashes'))).toThrow(/ENOENT/);
  });

  it('works without a writable cache', async () => {
    const path = file('weights2', 'cccc');
    const cache = file('no-folder', '');
    const options = { cache, rememberedBytes: 3, settledAfter: 0 };
    expect(await hashFiles([path], options)).toBe(sha256('cccc'));
  });
});
