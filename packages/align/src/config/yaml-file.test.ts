import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, test } from 'vitest';
import { parseYamlFile, readYamlFile } from './yaml-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-yaml-'));
afterAll(() => rmSync(folder, { recursive: true }));

const parse = (text: string) => parseYamlFile(text, 'x.yaml', 'a mapping of options');
const written = (text: string) => {
  const file = parse(text);
  return Object.fromEntries(
    file.pairs.map((pair) => [file.keyOf(pair), file.writtenOf(pair).written]),
  );
};
const scalar = (text: string, quoted = false) => ({ kind: 'scalar', text, quoted });

test('plain values keep their original text, and quoted ones are marked', () => {
  expect(
    written('a: 1_000\nb: 007\nc: yes\nd: "none"\ne: none # no\nf:\ng: !!str 12\nh: |\n  t\n'),
  ).toEqual({
    a: scalar('1_000'),
    b: scalar('007'),
    c: scalar('yes'),
    d: scalar('none', true),
    e: scalar('none'),
    f: scalar(''),
    g: scalar('12', true),
    h: scalar('t\n', true),
  });
});

test('an alias stands for what it names', () => {
  const file = parse('a: &x [1]\nb: *x\nc: &y {d: 1}\ne: *y\nf: [*y, 2]\n');
  expect(file.writtenOf(file.pairs[1]!).written).toEqual({ kind: 'list', items: [scalar('1')] });
  expect(file.pairsIn(file.pairs[3]!)?.map(file.keyOf)).toEqual(['d']);
  expect(file.itemsIn(file.pairs[4]!)?.map(({ place, pairs }) => [place, pairs?.length])).toEqual([
    ['x.yaml:5:5', 1],
    ['x.yaml:5:9', undefined],
  ]);
});

test('a byte order mark and Windows line endings change nothing', () => {
  const path = join(folder, 'bom.yaml');
  writeFileSync(path, '\uFEFFa: 1\r\nb: 2\r\n');
  const file = readYamlFile(path, 'a mapping');
  expect(file.pairs.map(file.keyOf)).toEqual(['a', 'b']);
});

test.each([
  ['a: 1\nb: 2\na: 3\n', /^x\.yaml:3:1: .*"a" is a duplicate/],
  ['a: 1\n---\nb: 2\n', /^x\.yaml:2:1: .*second document/],
  ['a:\n\tb: 1\n', /^x\.yaml:2:1: .*\btab\b/],
  ['a: !x 1\n', /^x\.yaml:1:4: .*\btag !x\b/],
  ['a: !function utils.f\n', /^x\.yaml:1:4: .*Python function/],
  ['a: @x\n', /^x\.yaml:1:4: .* @\. .*quotes/],
  ['- a\n', /^x\.yaml:1:1: expected a mapping of options, found a list/],
  ['a\n', /^x\.yaml:1:1: expected a mapping of options, found a single value/],
])('%j: %s', (text, message) => {
  expect(() => parse(text)).toThrow(message);
});

test.each([
  ['a: *b\n', /^x\.yaml:1:4: \*b .*&b/],
  ['a: &x [*x]\n', /anchor cannot contain itself/],
])('%j: %s', (text, message) => {
  expect(() => written(text)).toThrow(message);
});

test('bytes other than UTF-8 are refused with their line', () => {
  const path = join(folder, 'latin.yaml');
  writeFileSync(path, Buffer.from('a: 1\nb: caf\xe9\n', 'latin1'));
  expect(() => readYamlFile(path, 'a mapping')).toThrow(
    `${path}:2: not UTF-8. Save the file as UTF-8`,
  );
  writeFileSync(path, Buffer.from('\uFEFFa: 1\n', 'utf16le'));
  expect(() => readYamlFile(path, 'a mapping')).toThrow('not UTF-8 (it looks like UTF-16)');
});

describe('a file that is too large or too complex', () => {
  it('may have many keys', () => {
    const keys = Array.from({ length: 50_000 }, (_, at) => `key_${at}: ${at}\n`).join('');
    expect(parseYamlFile(keys, 'x.yaml', 'options').pairs).toHaveLength(50_000);
  });

  it.each([
    [
      'aliases of aliases',
      `a: &a [x,x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
        .split('')
        .map((name, at) => `${name}: &${name} [${`*${'abcdefgh'[at]},`.repeat(10)}]`)
        .join('\n')}\n`,
      /at most 100|more than 1000000 values/,
    ],
    ['many aliases', `a: &a 1\nb: [${'*a,'.repeat(101)}]\n`, /has 101 aliases/],
    ['deep lists', `a: ${'['.repeat(20_000)}${']'.repeat(20_000)}\n`, /nested too deeply/],
    ['a long file', `a: ${'x'.repeat(4_000_001)}\n`, /at most 4000000/],
  ])('is refused with the reason: %s', (_, text, message) => {
    const read = (): void => {
      const file = parseYamlFile(text, 'x.yaml', 'options');
      for (const pair of file.pairs) file.writtenOf(pair);
    };
    expect(read).toThrow(message);
  });
});
