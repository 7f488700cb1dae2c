import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

const write = (name: string, contents: unknown): void =>
  writeFileSync(
    join(folder, name),
    typeof contents === 'string' ? contents : JSON.stringify(contents),
  );
const render = (): string =>
  tokenizerFromFolder(folder).chatTemplate!.render([{ role: 'user', content: '' }]);

describe('tokenizerFromFolder', () => {
  it('says that tokenizer.json is missing, and what to do', () => {
    expect(() => tokenizerFromFolder(folder)).toThrow(/has no tokenizer\.json; .*save_pretrained/);
    write('tokenizer.model', '');
    expect(() => tokenizerFromFolder(folder)).toThrow(/only tokenizer\.model/);
  });

  it('names the file that is not JSON, and the field that is wrong', () => {
    write('tokenizer.json', '{');
    expect(() => tokenizerFromFolder(folder)).toThrow(/tokenizer\.json: is not JSON/);
    write('tokenizer.json', tinyTokenizerJson());
    write('tokenizer_config.json', { eos_token: 7 });
    expect(() => tokenizerFromFolder(folder)).toThrow(/tokenizer_config\.json: [\s\S]*eos_token/);
  });

  it('needs only tokenizer.json', () => {
    write('tokenizer.json', tinyTokenizerJson());
    const tokenizer = tokenizerFromFolder(folder);
    expect(tokenizer.eosTokenId).toBeNull();
    expect(tokenizer.chatTemplate).toBeNull();
    expect(tokenizer.decode(tokenizer.encode('hello'))).toBe('hello');
  });

  const ids = (text: string): number[] => tokenizerFromFolder(folder).encode(text);
  // The first id after the vocabulary.
  const next = tinyTokens.length;

  it('accepts special tokens as text or object', () => {
    write('tokenizer.json', tinyTokenizerJson());
    write('tokenizer_config.json', { eos_token: { content: '<|end|>' }, bos_token: null });
    const { eosTokenId, padTokenId, bosTokenId } = tokenizerFromFolder(folder);
    expect([eosTokenId, padTokenId, bosTokenId]).toEqual([0, null, null]);
  });

  it('prefers special_tokens_map.json if the configuration has no added_tokens_decoder', () => {
    write('tokenizer.json', tinyTokenizerJson());
    write('special_tokens_map.json', { pad_token: { content: '<|pad|>' }, eos_token: '<|user|>' });
    write('tokenizer_config.json', { eos_token: '<|end|>' });
    const legacy = tokenizerFromFolder(folder);
    expect([legacy.eosTokenId, legacy.padTokenId]).toEqual([1, 2]);
    write('tokenizer_config.json', { eos_token: '<|end|>', added_tokens_decoder: {} });
    const today = tokenizerFromFolder(folder);
    expect([today.eosTokenId, today.padTokenId]).toEqual([0, null]);
  });

  it("adds the configuration's tokens, numbered as in the library", () => {
    write('tokenizer.json', tinyTokenizerJson());
    write('tokenizer_config.json', {
      added_tokens_decoder: {
        0: { content: '<|end|>', special: true },
        900: { content: '<|new|>', special: true },
      },
    });
    expect(ids('<|new|>')).toEqual([next]);
    expect(tokenizerFromFolder(folder).specialTokenIds.has(next)).toBe(true);
    expect(tokenizerFromFolder(folder).vocabSize).toBe(next + 1);
  });

  it('uses the flags of added_tokens_decoder instead of those in tokenizer.json', () => {
    write('tokenizer.json', tinyTokenizerJson());
    const token = { content: '<|user|>', special: true };
    write('tokenizer_config.json', { added_tokens_decoder: { 1: { ...token, rstrip: true } } });
    expect(ids('<|user|>  ')).toEqual([1]);
    write('tokenizer_config.json', {
      added_tokens_decoder: { 1: { ...token, single_word: true } },
    });
    expect(ids('<|user|>')).toEqual([1]);
    expect(ids('a<|user|>')).not.toContain(1);
  });

  it('uses the tokens of added_tokens.json if the configuration has no added_tokens_decoder', () => {
    write('tokenizer.json', tinyTokenizerJson());
    write('added_tokens.json', { '<|new|>': 500, '<|never|>': 0 });
    expect(ids('<|new|>')).toEqual([next]);
    expect(ids('<|never|>').length).toBeGreaterThan(1);
    write('tokenizer_config.json', { added_tokens_decoder: {} });
    expect(ids('<|new|>').length).toBeGreaterThan(1);
  });

  it.each([
    ['additional_special_tokens', { additional_special_tokens: ['<|new|>'] }],
    ['extra_special_tokens', { extra_special_tokens: ['<|new|>'] }],
    ['named extra_special_tokens', { extra_special_tokens: { new_token: '<|new|>' } }],
  ])('makes added tokens of %s', (_, config) => {
    write('tokenizer.json', tinyTokenizerJson());
    write('tokenizer_config.json', config);
    expect(ids('<|new|>')).toEqual([next]);
  });

  it('matches named special tokens whole in a text, even if tokenizer.json has them only as words', () => {
    write('tokenizer.json', tinyTokenizerJson());
    expect(ids('hellhello')).toHaveLength(2);
    write('tokenizer_config.json', { sep_token: 'he' });
    expect(ids('hello')).toHaveLength(3);
    write('tokenizer_config.json', { sep_token: '<|new|>' });
    expect(ids('<|new|>')).toEqual([next]);
    // The embedding would have no row for it.
    write('tokenizer_config.json', { eos_token: '<|new|>' });
    expect(() => ids('a')).toThrow(/eos_token is "<\|new\|>", which is not in the vocabulary/);
  });

  it('refuses fields with which transformers would change tokenizer.json', () => {
    write('tokenizer.json', tinyTokenizerJson());
    write('tokenizer_config.json', { split_special_tokens: true });
    expect(() => ids('a')).toThrow(/tokenizer_config\.json: split_special_tokens is true/);
    write('tokenizer_config.json', { tokenizer_class: 'GPT2Tokenizer', add_prefix_space: true });
    expect(() => ids('a')).toThrow(/add_prefix_space is true, but .* does not put a space/);
    write('tokenizer_config.json', { tokenizer_class: 'BertTokenizer', do_lower_case: true });
    expect(() => ids('a')).toThrow(/do_lower_case is true/);
    const general = { tokenizer_class: 'PreTrainedTokenizerFast', add_prefix_space: true };
    write('tokenizer_config.json', { ...general, add_bos_token: true, add_eos_token: true });
    expect(ids('a')).toHaveLength(1);
  });

  it('ends generation as set in generation_config.json', () => {
    write('tokenizer.json', tinyTokenizerJson());
    write('tokenizer_config.json', { eos_token: '<|pad|>' });
    write('generation_config.json', { eos_token_id: [1, 2] });
    expect([...tokenizerFromFolder(folder).endOfTurnIds].sort()).toEqual([0, 1, 2]);
    write('generation_config.json', { eos_token_id: 1 });
    expect(tokenizerFromFolder(folder).endOfTurnIds.has(1)).toBe(true);
  });

  it('prefers chat_template.jinja, then the configuration’s template, even if it has several', () => {
    write('tokenizer.json', tinyTokenizerJson());
    write('tokenizer_config.json', { eos_token: '<|end|>', chat_template: 'one{{ eos_token }}' });
    expect(render()).toBe('one<|end|>');
    write('tokenizer_config.json', {
      chat_template: [
        { name: 'rag', template: 'rag' },
        { name: 'default', template: 'two' },
      ],
    });
    expect(render()).toBe('two');
    write('chat_template.jinja', 'three');
    mkdirSync(join(folder, 'additional_chat_templates'));
    write('additional_chat_templates/tool_use.jinja', '{{ tools | length }} tools');
    expect(render()).toBe('three');
    const { chatTemplate } = tokenizerFromFolder(folder);
    expect(chatTemplate!.render([{ role: 'user', content: '' }], { tools: [{}] })).toBe('1 tools');
    // Files replace all of the configuration's templates.
    expect(Object.keys(chatTemplate!.sources)).toEqual(['default', 'tool_use']);
  });
});
