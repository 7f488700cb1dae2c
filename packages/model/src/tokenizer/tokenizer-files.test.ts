import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { tinyTokenizerJson } from './testing/tiny-tokenizer.ts';
import { tokenizerFromFolder } from './tokenizer-from-folder.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-tokenizer-files-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

// In Python's format, which differs from JavaScript's, with fields that Keel does not read.
const files: Record<string, string> = {
  'tokenizer.json': JSON.stringify(tinyTokenizerJson(), null, 1),
  'tokenizer_config.json':
    '{"tokenizer_class": "Fast", "eos_token": {"content": "<|end|>", "lstrip": true, "__type": "AddedToken"},\n "model_max_length": 1000000000000000019884624838656, "extra_special_tokens": {"image": "<|end|>"}, "a": 1.0}',
  'special_tokens_map.json': '{"eos_token": "<|end|>" }',
  'chat_template.jinja': '{{ eos_token }}',
  'additional_chat_templates/tools.jinja': '{{ tools }}',
  'tokenizer.model': '\0binary\u00ff',
  'merges.txt': '#version: 0.2\n',
};

function writeBase(): string {
  const base = join(folder, 'base');
  mkdirSync(join(base, 'additional_chat_templates'), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(base, name), text);
  return base;
}

const filesIn = (path: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(path, { recursive: true })
      .map(String)
      .filter((name) => statSync(join(path, name)).isFile())
      .map((name) => [name, readFileSync(join(path, name), 'utf8')]),
  );

it('saves every file of a tokenizer unchanged', () => {
  const to = join(folder, 'saved');
  tokenizerFromFolder(writeBase()).save(to);
  expect(filesIn(to)).toEqual(files);
});

it('changes only the pad token if there is a new one', () => {
  const to = join(folder, 'saved');
  const tokenizer = tokenizerFromFolder(writeBase());
  tokenizer.save(to, { padTokenId: tokenizer.tokenToId('hello') ?? 0 });
  const {
    'tokenizer_config.json': config,
    'special_tokens_map.json': map,
    ...others
  } = filesIn(to);
  const padToken = tokenizer.idToToken(tokenizer.tokenToId('hello') ?? 0);
  expect(JSON.parse(config!)).toEqual({
    ...JSON.parse(files['tokenizer_config.json']!),
    pad_token: padToken,
  });
  expect(JSON.parse(map!)).toEqual({ eos_token: '<|end|>', pad_token: padToken });
  for (const [name, text] of Object.entries(others)) expect(text).toBe(files[name]);
});

it('writes the files as read if the base has changed since then, or is gone', () => {
  const base = writeBase();
  const tokenizer = tokenizerFromFolder(base);
  writeFileSync(join(base, 'tokenizer.json'), '{}');
  utimesSync(join(base, 'merges.txt'), 1, 1);
  const to = join(folder, 'saved');
  tokenizer.save(to);
  expect(tokenizerFromFolder(to).hash).toBe(tokenizer.hash);
  expect(filesIn(to)).not.toHaveProperty('merges.txt');
  rmSync(base, { recursive: true });
  rmSync(to, { recursive: true });
  tokenizer.save(to);
  expect(tokenizerFromFolder(to).hash).toBe(tokenizer.hash);
});

it("ends a turn with config.json's tokens if there is no generation_config.json", () => {
  const base = writeBase();
  writeFileSync(join(base, 'config.json'), '{"eos_token_id": [3, 4]}');
  expect([...tokenizerFromFolder(base).endOfTurnIds]).toEqual(expect.arrayContaining([3, 4]));
  writeFileSync(join(base, 'generation_config.json'), '{"eos_token_id": 5}');
  const ends = tokenizerFromFolder(base).endOfTurnIds;
  expect([ends.has(5), ends.has(3)]).toEqual([true, false]);
});

it.each([
  '../../outside',
  '/tmp/outside',
  'a/b',
  '..',
  'con',
  'a\u0000',
  'a\u202eb',
])('refuses a chat template whose name %j would be a path', (name) => {
  const base = writeBase();
  // These would take precedence.
  rmSync(join(base, 'chat_template.jinja'));
  rmSync(join(base, 'additional_chat_templates'), { recursive: true });
  const config = {
    chat_template: [
      { name: 'default', template: 'x' },
      { name, template: 'y' },
    ],
  };
  writeFileSync(join(base, 'tokenizer_config.json'), JSON.stringify(config));
  expect(() => tokenizerFromFolder(base)).toThrow(/tokenizer_config.json: the chat template named/);
});

it('treats template names that objects inherit like any other name', () => {
  const base = writeBase();
  const chat_template = ['default', 'constructor', 'toString', '__proto__'].map((name) => ({
    name,
    template: `{{ '${name}' }}`,
  }));
  writeFileSync(join(base, 'tokenizer_config.json'), JSON.stringify({ chat_template }));
  const to = join(folder, 'saved');
  tokenizerFromFolder(base).save(to);
  expect(readFileSync(join(to, 'tokenizer_config.json'), 'utf8')).toContain('constructor');
});
