import { readFileSync } from 'node:fs';
import { goldenPath } from '@keel/torch/testing';
import { describe, expect, it } from 'vitest';
import { cachedDefaultModel } from '../formats/default-model.ts';
import { openGguf } from '../formats/gguf.ts';
import type { ChatMessage } from './chat-template.ts';
import {
  byteCharacters,
  oddTexts,
  tinyGgufMetadata,
  tinyTokens,
} from './testing/tiny-tokenizer.ts';
import { renderConversation, type Tokenizer } from './tokenizer.ts';
import { TokenizerError } from './tokenizer-error.ts';
import { tokenizerFromGguf } from './tokenizer-from-gguf.ts';

const tokensOf = (tokenizer: Tokenizer, text: string): (string | null)[] =>
  tokenizer.encode(text).map((id) => tokenizer.idToToken(id));

const tiny = (changes: Record<string, unknown> = {}): Tokenizer =>
  tokenizerFromGguf({ ...tinyGgufMetadata(), ...changes }, 'tiny.gguf');

describe('byte-level tokenizers from GGUF', () => {
  // Each family splits numbers, contractions and case differently; the vocabulary has 1234, 'LL and
  // ayH.
  it.each<[string, string[]]>([
    ['gpt-2', ['1234', "'", 'L', 'L', 'Ġ', 'ayH']],
    ['smollm', ['1', '2', '3', '4', "'", 'L', 'L', 'Ġ', 'ayH']],
    ['default', ['123', '4', "'", 'L', 'L', 'Ġ', 'ayH']],
    ['llama-bpe', ['123', '4', "'LL", 'Ġ', 'ayH']],
    ['qwen2', ['1', '2', '3', '4', "'LL", 'Ġ', 'ayH']],
    ['gpt-4o', ['123', '4', "'LL", 'Ġ', 'ay', 'H']],
    ['tekken', ['1', '2', '3', '4', "'LL", 'Ġ', 'ay', 'H']],
  ])('%s splits as its family does', (pre, expected) => {
    const tokenizer = tiny({ 'tokenizer.ggml.pre': pre });
    expect(tokensOf(tokenizer, "1234'LL ayH")).toEqual(expected);
  });

  it('refuses a file that does not say how its texts are split', () => {
    expect(() => tiny({ 'tokenizer.ggml.pre': undefined })).toThrow(/ggml\.pre is missing/);
  });

  it('matches the marks that the metadata name, whatever their types are', () => {
    const normal = { 'tokenizer.ggml.token_type': tinyTokens.map(() => 1) };
    for (const types of [normal, { 'tokenizer.ggml.token_type': undefined }]) {
      const tokenizer = tiny({ ...types, 'tokenizer.ggml.eot_token_id': 1 });
      expect(tokenizer.encode('hello<|end|><|user|>').slice(-2)).toEqual([0, 1]);
      expect([...tokenizer.endOfTurnIds]).toEqual([0, 1]);
    }
  });

  it('refuses a chat template with marks that would be spelled out', () => {
    const template = { 'tokenizer.chat_template': '<|user|>{{ messages[0].content }}<|end|>' };
    expect(() => tiny(template)).not.toThrow();
    const types = tinyTokens.map(() => 1);
    expect(() => tiny({ ...template, 'tokenizer.ggml.token_type': types })).toThrow(
      /writes "<\|user\|>", which is token 1/,
    );
  });

  it('restores every text', () => {
    for (const pre of ['gpt-2', 'smollm', 'default', 'llama-bpe', 'gpt-4o', 'tekken']) {
      const tokenizer = tiny({ 'tokenizer.ggml.pre': pre });
      for (const text of oddTexts(60)) expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    }
  });

  it('normalises if the family does', () => {
    expect(tokensOf(tiny({ 'tokenizer.ggml.pre': 'qwen2' }), 'e\u0301')).toEqual(['Ã©']);
    expect(tokensOf(tiny(), 'e\u0301')).not.toEqual(['Ã©']);
  });

  it('recognises special tokens and user-defined ones, and omits fillers', () => {
    const tokenizer = tiny({
      'tokenizer.ggml.tokens': [...tinyTokens, '<tool>', '[PAD9]'],
      'tokenizer.ggml.token_type': [...tinyTokens.map((_, id) => (id < 3 ? 3 : 1)), 4, 5],
      'tokenizer.ggml.eot_token_id': 1,
    });
    const tool = tinyTokens.length;
    expect(tokenizer.encode('<tool>')).toEqual([tool]);
    expect([...tokenizer.specialTokenIds]).toEqual([0, 1, 2]);
    expect([...tokenizer.endOfTurnIds]).toEqual([0, 1]);
    expect(tokenizer.padTokenId).toBe(2);
    expect(tokenizer.vocabSize).toBe(tool + 1);
    expect(tokenizer.decode([tool + 1])).toBe('');
  });

  it("adds bos as set in the file, or by the family's default, and never eos", () => {
    const ids = { 'tokenizer.ggml.bos_token_id': 1 };
    const encode = (changes: Record<string, unknown>): number[] =>
      tiny({ ...ids, ...changes }).encode('h', { addSpecialTokens: true });
    const letter = tinyTokens.indexOf('h');
    expect(encode({})).toEqual([letter]);
    expect(encode({ 'tokenizer.ggml.pre': 'llama-bpe' })).toEqual([1, letter]);
    expect(encode({ 'tokenizer.ggml.add_bos_token': true })).toEqual([1, letter]);
    expect(encode({ 'tokenizer.ggml.add_eos_token': true })).toEqual([letter]);
  });

  it('has the chat template', () => {
    const template = '{{ eos_token }}{{ messages[0].content }}';
    const tokenizer = tiny({ 'tokenizer.chat_template': template });
    const { text } = renderConversation(tokenizer, [{ role: 'user', content: 'hi' }]);
    expect(text).toBe('<|end|>hi');
    const { chatTemplate } = tiny({
      'tokenizer.chat_template': template,
      'tokenizer.chat_template.tool_use': 'tools',
    });
    expect(chatTemplate!.render([{ role: 'user', content: 'hi' }], { tools: [] })).toBe('tools');
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['no tokenizer', { model: undefined }, /model is missing/],
    ['another tokenizer', { model: 'bert' }, /model is "bert"/],
    ['no tokens', { tokens: undefined }, /tokens is missing/],
    ['no merges', { merges: undefined }, /merges is missing: .*without merges/],
    ['unknown pre-tokenizer', { pre: 'magic' }, /pre is "magic".* default, gpt-2/],
    ['merges not texts', { merges: [1, 2] }, /merges is not a list of texts/],
    ['a merge of one', { merges: ['he'] }, /merge 0 .*does not join/],
    ['types of another length', { token_type: [1, 2] }, /token_type is not a list of \d+ numbers/],
    [
      'eos outside the vocabulary',
      { eos_token_id: 9999 },
      /eos_token_id is 9999, but the vocabulary/,
    ],
    ['a duplicate token', { tokens: [...tinyTokens.slice(0, -1), 'hello'] }, /are both "hello"/],
  ])('%s', (_, changes, message) => {
    const named = Object.entries(changes).map(([name, value]) => [`tokenizer.ggml.${name}`, value]);
    const build = (): Tokenizer => tiny(Object.fromEntries(named));
    expect(build).toThrow(TokenizerError);
    expect(build).toThrow(message);
    expect(build).toThrow(/tiny\.gguf/);
  });
});

describe('SentencePiece tokenizers from GGUF', () => {
  const pieces = ['▁', 'h', 'e', 'l', 'o', 'w', 'he', 'll', 'hell', 'hello', '▁hello', '▁w', 'lo'];
  const bytes = Array.from(
    { length: 256 },
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
  );
  const tokens = ['<unk>', '<s>', '</s>', ...bytes, ...pieces, '<|end|>'];
  const metadata = {
    'tokenizer.ggml.model': 'llama',
    'tokenizer.ggml.tokens': tokens,
    // Of equal pieces, the earlier one wins.
    'tokenizer.ggml.scores': tokens.map((_, id) => (id < 259 ? 0 : -id)),
    'tokenizer.ggml.token_type': tokens.map((token, id) =>
      id === 0 ? 2 : id < 3 || token === '<|end|>' ? 3 : id < 259 ? 6 : 1,
    ),
    'tokenizer.ggml.bos_token_id': 1,
    'tokenizer.ggml.eos_token_id': 2,
    'tokenizer.ggml.unknown_token_id': 0,
  };

  it('merges by score, starts with a space, falls back to bytes', () => {
    const tokenizer = tokenizerFromGguf(metadata);
    expect(tokensOf(tokenizer, 'hello w')).toEqual(['▁hello', '▁w']);
    expect(tokensOf(tokenizer, 'helo')).toEqual(['▁', 'he', 'lo']);
    expect(tokensOf(tokenizer, 'é')).toEqual(['▁', '<0xC3>', '<0xA9>']);
    expect(tokensOf(tokenizer, 'w<|end|>')).toEqual(['▁w', '<|end|>']);
    expect(tokenizer.encode('w', { addSpecialTokens: true })[0]).toBe(1);
    expect([...tokenizer.endOfTurnIds]).toEqual([2, tokens.length - 1]);
  });

  it('restores texts, at once and streamed', () => {
    const plain = tokenizerFromGguf({ ...metadata, 'tokenizer.ggml.add_space_prefix': false });
    for (const text of [...oddTexts(100), 'hello w', ' hello', '\ufeffhello']) {
      const ids = plain.encode(text);
      expect(plain.decode(ids)).toBe(text);
      const stream = plain.streamDecoder();
      expect(ids.map((id) => stream.push(id)).join('') + stream.end()).toBe(text);
    }
    const prefixed = tokenizerFromGguf(metadata);
    expect(prefixed.decode(prefixed.encode(' hello  w'))).toBe(' hello  w');
  });

  it('absorbs the space after Phi-3’s marks', () => {
    const phi = tokenizerFromGguf({ ...metadata, 'general.architecture': 'phi3' });
    expect(tokensOf(phi, '<|end|>\nw')).toEqual(['<|end|>', '▁w']);
  });

  it('needs scores', () => {
    const { 'tokenizer.ggml.scores': _, ...without } = metadata;
    expect(() => tokenizerFromGguf(without)).toThrow(/scores is missing/);
  });
});

interface Golden {
  plain: { text: string; ids: number[]; decoded: string }[];
  chat: { messages: ChatMessage[]; add_generation_prompt: boolean; text: string; ids: number[] }[];
}

const model = cachedDefaultModel();
const load = (): Tokenizer => {
  using gguf = openGguf(model!);
  return tokenizerFromGguf(gguf.metadata, model!);
};

describe.skipIf(!model)('the default model’s tokenizer', () => {
  // Ids from the Rust library, tokenizers 0.23.3.
  it.each<[string, number[]]>([
    ['٣٤½ Ⅷ12', [164, 113, 164, 114, 16738, 216, 173, 223, 117, 33, 34]],
    [
      'a\u0085b \ufeff c\u0085\u0085 d',
      [81, 141, 223, 82, 216, 186, 136, 140, 265, 141, 223, 141, 223, 287],
    ],
    [
      'e\u0301 Å \r\n\r\n  x\t\ty   ',
      [85, 151, 219, 5549, 223, 216, 18682, 216, 1792, 197, 197, 105, 333],
    ],
    ["I'LL don't 'Sx", [57, 23, 16421, 1326, 982, 637, 67, 104]],
  ])('%j', (text, ids) => {
    expect(load().encode(text)).toEqual(ids);
  });

  it('restores every text of known bytes', () => {
    const tokenizer = load();
    // Its vocabulary has no token for some bytes that start characters of unassigned planes.
    const texts = oddTexts(400).filter((text) =>
      new TextEncoder()
        .encode(text)
        .every((byte) => tokenizer.tokenToId(byteCharacters[byte]!) !== null),
    );
    expect(texts.length).toBeGreaterThan(80);
    for (const text of texts) expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  });

  it('recognises its special tokens', () => {
    const tokenizer = load();
    expect(tokenizer.vocabSize).toBe(49_152);
    expect([tokenizer.bosTokenId, tokenizer.eosTokenId, tokenizer.padTokenId]).toEqual([1, 2, 2]);
    expect([...tokenizer.endOfTurnIds]).toEqual([2]);
    expect(tokenizer.specialTokenIds.size).toBe(17);
  });

  it('gives the golden ids and chat texts', () => {
    const { plain, chat } = JSON.parse(readFileSync(goldenPath('smollm2.json'), 'utf8')) as Golden;
    const tokenizer = load();
    expect(plain.length).toBeGreaterThan(5);
    expect(chat.length).toBeGreaterThan(5);
    for (const { text, ids, decoded } of plain) {
      expect(tokenizer.encode(text)).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(decoded);
    }
    for (const { messages, add_generation_prompt: addGenerationPrompt, text, ids } of chat) {
      const rendered = renderConversation(tokenizer, messages, { addGenerationPrompt });
      expect(rendered).toEqual({ text, ids });
    }
  });
});
