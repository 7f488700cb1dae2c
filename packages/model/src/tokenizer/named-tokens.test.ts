// Which special tokens have a name, given the files of a folder. The expectations are from
// transformers (5.17): AutoTokenizer.from_pretrained(folder).special_tokens_map.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tinyTokenizerJson, tinyTokens } from './testing/tiny-tokenizer.ts';
import { tokenizerFromFolder } from './tokenizer-from-folder.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-tokenizer-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const END = '<|endoftext|>';
const endId = tinyTokens.length;

/** A tokenizer.json with one more special token. */
const withEnd = (content = END) => {
  const json = tinyTokenizerJson();
  return {
    ...json,
    added_tokens: [...json.added_tokens, { ...json.added_tokens[0]!, content, id: endId }],
  };
};

const load = (files: Record<string, unknown>, json: object = withEnd()) => {
  const all = { 'tokenizer.json': json, ...files };
  for (const [name, contents] of Object.entries(all)) {
    writeFileSync(join(folder, name), JSON.stringify(contents));
  }
  return tokenizerFromFolder(folder);
};

const names = ['bos', 'eos', 'unk', 'pad', 'image', 'video', 'x'].map((name) => `${name}_token`);
const template = names.map((name) => `{{ ${name} }}`).join(',');

/** The variables that a chat template sees. */
const seen = (config: Record<string, unknown>, model: object = {}): Record<string, string> => {
  const tokenizer = load({
    'tokenizer_config.json': { chat_template: template, ...config },
    'config.json': model,
  });
  const values = tokenizer.chatTemplate!.render([{ role: 'user', content: '' }]).split(',');
  return Object.fromEntries(
    names.map((name, at) => [name, values[at]!]).filter(([, text]) => text),
  );
};

describe('tokens with model-specific names', () => {
  const user = { __type: 'AddedToken', content: '<|user|>' };

  it.each([
    ['a field', { image_token: '<|user|>' }, { image_token: '<|user|>' }],
    ['a field with flags', { image_token: user }, { image_token: '<|user|>' }],
    ['an object that is not a token', { image_token: { content: '<|user|>' } }, {}],
    [
      'extra_special_tokens',
      {
        extra_special_tokens: {
          image_token: '<|user|>',
          video_token: { ...user, content: '<|pad|>' },
        },
      },
      { image_token: '<|user|>', video_token: '<|pad|>' },
    ],
    ['a list without names', { extra_special_tokens: ['<|user|>'] }, {}],
    [
      'model_specific_special_tokens',
      { model_specific_special_tokens: { x_token: '<|end|>', image_token: user } },
      { x_token: '<|end|>', image_token: '<|user|>' },
    ],
    [
      'a field, in place of model_specific_special_tokens',
      { image_token: '<|user|>', model_specific_special_tokens: { x_token: '<|end|>' } },
      { image_token: '<|user|>' },
    ],
    [
      'a field with flags, beside model_specific_special_tokens',
      { image_token: user, model_specific_special_tokens: { x_token: '<|end|>' } },
      { image_token: '<|user|>', x_token: '<|end|>' },
    ],
  ])('are template variables: %s', (_, config, expected) => {
    expect(seen(config)).toEqual(expected);
  });

  it('are special beside the unnamed tokens of special_tokens_map.json', () => {
    const tokenizer = load({
      'tokenizer_config.json': { extra_special_tokens: { image_token: '<|image|>' } },
      'special_tokens_map.json': { additional_special_tokens: ['<|extra|>'] },
    });
    expect(tokenizer.encode('<|image|><|extra|>')).toEqual([endId + 1, endId + 2]);
  });

  it('are special, and added if they are new', () => {
    const tokenizer = load({ 'tokenizer_config.json': { image_token: '<|image|>' } });
    expect(tokenizer.encode('<|image|>')).toEqual([endId + 1]);
    expect(tokenizer.specialTokenIds.has(endId + 1)).toBe(true);
  });

  it('are part of the hash', () => {
    const hashes = ['<|user|>', '<|pad|>'].map(
      (image_token) => load({ 'tokenizer_config.json': { image_token } }).hash,
    );
    expect(hashes[0]).not.toBe(hashes[1]);
  });
});

describe('tokens that a class names', () => {
  it('are used if the files name none, as in GPT-2', () => {
    const gpt2 = { model_type: 'gpt2', eos_token_id: endId };
    expect(seen({ model_max_length: 1024 }, gpt2)).toEqual({
      bos_token: END,
      eos_token: END,
      unk_token: END,
    });
    const tokenizer = load({ 'tokenizer_config.json': {}, 'config.json': gpt2 });
    const { bosTokenId, eosTokenId, padTokenId } = tokenizer;
    expect([bosTokenId, eosTokenId, padTokenId]).toEqual([endId, endId, null]);
    expect(tokenizer.specialTokenIds.has(endId)).toBe(true);
  });

  it('are overridden by the files, even if those set none', () => {
    const qwen3 = { model_type: 'qwen3', eos_token_id: endId };
    expect(seen({ eos_token: '<|end|>' }, qwen3)).toEqual({
      eos_token: '<|end|>',
      unk_token: END,
      pad_token: END,
    });
    expect(seen({ eos_token: null, pad_token: null }, qwen3)).toEqual({ unk_token: END });
    expect(
      load({ 'tokenizer_config.json': { eos_token: null }, 'config.json': qwen3 }).eosTokenId,
    ).toBe(null);
  });

  it('are omitted if the vocabulary lacks them', () => {
    expect(seen({ tokenizer_class: 'LlamaTokenizer' })).toEqual({});
  });

  it('come from the chosen class; the pad token may come from the padding', () => {
    const padding = { strategy: 'BatchLongest', pad_token: '<|pad|>', pad_id: 2 };
    const json = {
      ...withEnd(),
      padding: { ...padding, direction: 'Left', pad_type_id: 0, pad_to_multiple_of: null },
    };
    const padOf = (model_type: string) => load({ 'config.json': { model_type } }, json).padTokenId;
    expect([padOf('llama'), padOf('gpt2'), padOf('qwen3')]).toEqual([2, null, endId]);
  });
});

describe('the token that the model ends a text with', () => {
  it('ends plain texts if neither files nor class name one; chat templates do not see it', () => {
    const files = { 'config.json': { model_type: 'llama', eos_token_id: endId } };
    const tokenizer = load(files);
    expect(tokenizer.eosTokenId).toBe(endId);
    expect(seen({}, files['config.json'])).toEqual({});
    expect(load({ 'generation_config.json': { eos_token_id: [1] } }).eosTokenId).toBe(1);
    expect(tokenizer.hash).not.toBe(load({}).hash);
  });

  it('becomes a token that is matched whole in a text', () => {
    const [hello] = tokenizerFromTiny('hello');
    const tokenizer = load({ 'config.json': { eos_token_id: hello } });
    expect(tokenizer.encode('hellhello')).toEqual([...tokenizerFromTiny('hell'), hello]);
  });

  it('is absent if there are several, or the files set none', () => {
    expect(load({ 'generation_config.json': { eos_token_id: [0, 1] } }).eosTokenId).toBeNull();
    expect(load({ 'generation_config.json': { eos_token_id: 100_000 } }).eosTokenId).toBeNull();
  });
});

const tokenizerFromTiny = (text: string): number[] => [tinyTokens.indexOf(text)];
