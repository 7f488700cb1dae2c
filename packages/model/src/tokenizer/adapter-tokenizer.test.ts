import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { adapterTemplate, checkAdapterTokens } from './adapter-tokenizer.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-adapter-tokenizer-'));
afterAll(() => rmSync(folder, { recursive: true }));
let made = 0;
const adapter = (files: Record<string, unknown>): string => {
  const path = join(folder, `adapter-${made++}`);
  mkdirSync(path);
  for (const [name, value] of Object.entries(files)) {
    writeFileSync(join(path, name), typeof value === 'string' ? value : JSON.stringify(value));
  }
  return path;
};

const ids = new Map([
  ['a', 0],
  ['b', 1],
  ['<end>', 2],
]);
const model = {
  tokenToId: (token: string) => ids.get(token) ?? null,
  idToToken: (id: number) => [...ids.keys()][id] ?? null,
  eosTokenId: 2,
};
const check = (files: Record<string, unknown>) => () => checkAdapterTokens(model, adapter(files));

it('finds the template in a file, or in the configuration, as transformers does', () => {
  const config = { chat_template: 'in config' };
  expect(adapterTemplate(adapter({}))).toBeNull();
  expect(adapterTemplate(adapter({ 'tokenizer_config.json': {} }))).toBeNull();
  expect(adapterTemplate(adapter({ 'tokenizer_config.json': config }))).toBe('in config');
  const named = { chat_template: [{ name: 'default', template: 'first' }] };
  expect(adapterTemplate(adapter({ 'tokenizer_config.json': named }))).toBe('first');
  const both = { 'tokenizer_config.json': config, 'chat_template.jinja': 'in file' };
  expect(adapterTemplate(adapter(both))).toBe('in file');
});

it('accepts the tokens of the model, or fewer', () => {
  const added_tokens = [{ id: 2, content: '<end>', special: true }];
  expect(check({})).not.toThrow();
  expect(check({ 'tokenizer_config.json': { eos_token: '<end>' } })).not.toThrow();
  expect(check({ 'tokenizer.json': { added_tokens, model: { vocab: { a: 0 } } } })).not.toThrow();
  const unigram = [
    ['a', -1],
    ['b', -2.5],
  ];
  expect(check({ 'tokenizer.json': { model: { vocab: unigram } } })).not.toThrow();
});

it.each([
  [
    'an added token',
    { 'tokenizer.json': { added_tokens: [{ id: 3, content: '<call>' }] } },
    '<call>',
  ],
  ['another id', { 'tokenizer.json': { model: { vocab: { b: 0 } } } }, 'which is 1 in the model'],
  ['a token of its own file', { 'added_tokens.json': { '<x>': 2 } }, '<x>'],
  ['another end', { 'tokenizer_config.json': { eos_token: { content: 'b' } } }, 'ends texts'],
  ['another order', { 'tokenizer.json': { model: { vocab: [['b', 0]] } } }, 'token 0'],
])('refuses %s', (_, files, words) => {
  expect(check(files)).toThrow(words);
});
