import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { suiteHash } from './suite-hash.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-suite-hash-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const inside = (name: string): string => join(folder, name);

it('changes with the suite and with all that it names, and with nothing else', async () => {
  mkdirSync(inside('more'));
  const files = ['sums.jsonl', 'more/rows.jsonl', 'check.ts', 'other.txt'];
  for (const name of files) writeFileSync(inside(name), 'one');
  const text =
    'name: own\ntasks:\n  - {name: a, type: generation, data: [sums.jsonl, ./more], check: check.ts#same, prompt: ""}\n';
  writeFileSync(inside('own.yaml'), text);
  const hash = () => suiteHash(inside('own.yaml'));
  let last = await hash();
  expect(await hash()).toBe(last);
  for (const name of files) {
    writeFileSync(inside(name), 'two');
    const now = await hash();
    expect(now === last, name).toBe(name === 'other.txt');
    last = now;
  }
  writeFileSync(inside('own.yaml'), text.replace('name: own', 'name: mine'));
  expect(await hash()).not.toBe(last);
  expect(await suiteHash('core')).toBe('core');
});
