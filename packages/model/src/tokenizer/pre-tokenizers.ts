/**
 * The pre-tokenizers of model families, by their names in GGUF files' `tokenizer.ggml.pre`, each as
 * in the family's own tokenizer.json (names from llama.cpp, src/llama-vocab.cpp).
 */
import type { Component } from './tokenizer-json.ts';

/** The pattern inside every ByteLevel pre-tokenizer that uses one: GPT-2's. */
export const gpt2Pattern =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const space = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

const llama3Pattern = `${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${space}`;
const qwen2Pattern = `${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${space}`;

const upper = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
const lower = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
const cased = (suffix: string): string =>
  `[^\\r\\n\\p{L}\\p{N}]?${upper}*${lower}+${suffix}|[^\\r\\n\\p{L}\\p{N}]?${upper}+${lower}*${suffix}`;
const marks = ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*';
const gpt4oPattern = `${cased(`${contractions}?`)}|\\p{N}{1,3}|${marks}|${space}`;
const tekkenPattern = `${cased('')}|\\p{N}|${marks}|${space}`;

/** The patterns above. */
export const familyPatterns: readonly string[] = [
  ...[gpt2Pattern, llama3Pattern, qwen2Pattern, gpt4oPattern, tekkenPattern],
  ...['[\\p{P}\\$\\+<=>\\^~\\|]+', '\\p{N}+', '[0-9][0-9][0-9]'],
];

export interface PreTokenizerFamily {
  preTokenizer: Component;
  normalizer?: Component;
  /** A word that is a token is used whole, regardless of the merges. */
  ignoreMerges?: boolean;
  /** Whether a beginning-of-sequence token is added by default. */
  addsBos?: boolean;
}

const byteLevel = (usesPattern: boolean): Component => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: usesPattern,
});

const sequence = (...pretokenizers: Component[]): Component => ({
  type: 'Sequence',
  pretokenizers,
});

const split = (pattern: string): Component => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior: 'Isolated',
  invert: false,
});

const splitByteLevel = (pattern: string): Component => sequence(split(pattern), byteLevel(false));

const gpt2: PreTokenizerFamily = { preTokenizer: byteLevel(true) };

/** GPT-2's pattern after each digit has been split off. */
const singleDigits: PreTokenizerFamily = {
  preTokenizer: sequence({ type: 'Digits', individual_digits: true }, byteLevel(true)),
};

const llama3: PreTokenizerFamily = {
  preTokenizer: splitByteLevel(llama3Pattern),
  ignoreMerges: true,
  addsBos: true,
};

// Files from before the field existed: llama.cpp's own default, which is close to Falcon's.
const unnamed: PreTokenizerFamily = {
  preTokenizer: sequence(
    split('[\\p{P}\\$\\+<=>\\^~\\|]+'),
    split(gpt2Pattern),
    split('\\p{N}+'),
    split('[0-9][0-9][0-9]'),
    byteLevel(false),
  ),
};

const qwen2: PreTokenizerFamily = {
  preTokenizer: splitByteLevel(qwen2Pattern),
  normalizer: { type: 'NFC' },
};

export const preTokenizerFamilies: ReadonlyMap<string, PreTokenizerFamily> = new Map([
  ['default', unnamed],
  ['gpt-2', gpt2],
  ['phi-2', gpt2],
  ['smollm', singleDigits],
  ['starcoder', singleDigits],
  ['refact', singleDigits],
  ['llama-bpe', llama3],
  ['llama3', llama3],
  ['llama-v3', llama3],
  ['smaug-bpe', { preTokenizer: splitByteLevel(llama3Pattern) }],
  ['dbrx', { preTokenizer: splitByteLevel(llama3Pattern) }],
  ['qwen2', qwen2],
  ['deepseek-r1-qwen', { preTokenizer: splitByteLevel(qwen2Pattern) }],
  ['gpt-4o', { preTokenizer: splitByteLevel(gpt4oPattern) }],
  ['tekken', { preTokenizer: splitByteLevel(tekkenPattern), ignoreMerges: true, addsBos: true }],
]);
