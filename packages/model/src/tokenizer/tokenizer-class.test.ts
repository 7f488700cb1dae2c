import { describe, expect, it } from 'vitest';
import { classTokens, GENERAL, tokenizerClass } from './tokenizer-class.ts';

// Results of transformers 5.17: type(AutoTokenizer.from_pretrained(folder)).__name__ for a folder
// with this model_type in its config.json and no tokenizer_class, or one of these, in
// tokenizer_config.json.
const classes = [null, 'PreTrainedTokenizerFast', 'LlamaTokenizerFast', 'GPT2Tokenizer'];
const general = [GENERAL, GENERAL, GENERAL, GENERAL];
const qwen2 = ['Qwen2Tokenizer', 'Qwen2Tokenizer', 'Qwen2Tokenizer', 'Qwen2Tokenizer'];
const named = (own: string) => [own, GENERAL, 'LlamaTokenizer', 'GPT2Tokenizer'];

describe('tokenizerClass', () => {
  it.each([
    ['llama', named(GENERAL)],
    ['smollm3', named(GENERAL)],
    ['mistral', general],
    ['phi3', general],
    ['qwen2', qwen2],
    ['qwen3', named('Qwen2Tokenizer')],
    ['gemma2', named('GemmaTokenizer')],
    ['gemma3_text', named('GemmaTokenizer')],
    ['gpt2', named('GPT2Tokenizer')],
  ])('of %s is the one that AutoTokenizer chooses', (model_type, expected) => {
    expect(classes.map((name) => tokenizerClass(name, { model_type }))).toEqual(expected);
  });

  it('is named by config.json if tokenizer_config.json names none', () => {
    const model = { model_type: 'qwen3', tokenizer_class: 'GPT2TokenizerFast' };
    expect(tokenizerClass(null, model)).toBe('GPT2Tokenizer');
    expect(tokenizerClass('LlamaTokenizer', model)).toBe('LlamaTokenizer');
    expect(tokenizerClass('LlamaTokenizer', {})).toBe('LlamaTokenizer');
  });
});

it('a class names the default tokens of its arguments', () => {
  const end = '<|endoftext|>';
  const tokens = (name: string) => {
    const { bos_token, eos_token, unk_token, pad_token } = classTokens(name);
    return [bos_token, eos_token, unk_token, pad_token];
  };
  expect(tokens('GPT2Tokenizer')).toEqual([end, end, end, null]);
  expect(tokens('Qwen2Tokenizer')).toEqual([null, end, end, end]);
  expect(tokens('LlamaTokenizer')).toEqual(['<s>', '</s>', '<unk>', undefined]);
  expect(tokens('GemmaTokenizer')).toEqual(['<bos>', '<eos>', '<unk>', '<pad>']);
  expect(classTokens(GENERAL)).toEqual({});
  expect(classTokens('constructor')).toEqual({});
});
