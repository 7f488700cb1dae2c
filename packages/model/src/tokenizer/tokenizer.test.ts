import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { goldenPath } from '@keel/torch/testing';
import { describe, expect, it } from 'vitest';
import {
  byteCharacters,
  oddTexts,
  tinyTokenizerJson,
  tinyTokens,
} from './testing/tiny-tokenizer.ts';
import { renderConversation, Tokenizer, type TokenizerParts } from './tokenizer.ts';
import { TokenizerError } from './tokenizer-error.ts';
import { tokenizerFromFolder } from './tokenizer-from-folder.ts';

const build = (changes: Partial<TokenizerParts> = {}): Tokenizer =>
  new Tokenizer({
    source: 'tiny',
    json: tinyTokenizerJson(),
    config: { eos_token: '<|end|>', pad_token: '<|pad|>' },
    ...changes,
  });

const tokensOf = (tokenizer: Tokenizer, text: string): (string | null)[] =>
  tokenizer.encode(text).map((id) => tokenizer.idToToken(id));

const user = { SpecialToken: { id: '<|user|>', type_id: 0 } };
const end = { SpecialToken: { id: '<|end|>', type_id: 0 } };
const text = { Sequence: { id: 'A', type_id: 0 } };
const templateOf = (...single: unknown[]) => ({
  type: 'TemplateProcessing',
  single,
  pair: [],
  special_tokens: {
    '<|user|>': { id: '<|user|>', ids: [1], tokens: ['<|user|>'] },
    '<|end|>': { id: '<|end|>', ids: [0, 2], tokens: ['<|end|>', '<|pad|>'] },
  },
});
const byteLevel = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true };
const bert = { type: 'BertProcessing', sep: ['<|end|>', 0], cls: ['<|user|>', 1] };
const roberta = { ...bert, type: 'RobertaProcessing', trim_offsets: true, add_prefix_space: true };

describe('Tokenizer', () => {
  it('merges in order, and matches special tokens whole', () => {
    expect(tokensOf(build(), 'hello world<|user|>hé')).toEqual([
      'hello',
      'Ġwo',
      'r',
      'l',
      'd',
      '<|user|>',
      'h',
      'Ã©',
    ]);
  });

  it('restores every text, at once and streamed, without partial characters', () => {
    const tokenizer = build();
    for (const text of oddTexts(400)) {
      const ids = tokenizer.encode(text);
      expect(tokenizer.decode(ids)).toBe(text);
      const stream = tokenizer.streamDecoder();
      const pieces = ids.map((id) => stream.push(id));
      pieces.push(stream.end());
      expect(pieces.join('')).toBe(text);
      if (!text.includes('\uFFFD')) expect(pieces.join('|')).not.toContain('\uFFFD');
    }
  });

  it('splits spaces and numbers by their Unicode classes, as in the Rust library', () => {
    const json = tinyTokenizerJson();
    const [c2, nel, d9, three, four] = [0xc2, 0x85, 0xd9, 0xa3, 0xa4].map(
      (byte) => byteCharacters[byte]!,
    );
    json.model.merges = [`${c2} ${nel}`, `! ${c2}${nel}`, `${d9} ${three}`, `${d9} ${four}`];
    (json.model.merges as string[]).push(`${d9}${three} ${d9}${four}`);
    const merged = (json.model.merges as string[]).map((merge) => merge.replace(' ', ''));
    json.model.vocab = Object.fromEntries([...tinyTokens, ...merged].map((text, id) => [text, id]));
    // U+0085 is white space in Unicode, though not in JavaScript: it is not part of the preceding
    // word.
    expect(tokensOf(build({ json }), '!\u0085')).toEqual(['!', `${c2}${nel}`]);
    expect(tokensOf(build({ json }), '٣٤')).toEqual([`${d9}${three}${d9}${four}`]);
    json.pre_tokenizer = {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Digits', individual_digits: true },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      ],
    };
    // Arabic-Indic digits are digits too, though not for JavaScript.
    expect(tokensOf(build({ json }), '٣٤')).toEqual([`${d9}${three}`, `${d9}${four}`]);
  });

  it('omits special tokens on request, and ids without a token always', () => {
    const tokenizer = build();
    const ids = tokenizer.encode('<|user|>hello<|end|>');
    expect(tokenizer.decode(ids)).toBe('<|user|>hello<|end|>');
    expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe('hello');
    expect(tokenizer.decode([...ids, 99_999, -1], { skipSpecialTokens: true })).toBe('hello');
    expect(tokenizer.decode([])).toBe('');
    expect(tokenizer.decode([99_999])).toBe('');
    expect(tokenizer.encode('')).toEqual([]);
  });

  it('does no clean-up', () => {
    const text = "he 's here , do n't !";
    const tokenizer = build({ config: { clean_up_tokenization_spaces: true } });
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  });

  it('writes a replacement mark for half a surrogate pair', () => {
    const tokenizer = build();
    expect(tokenizer.decode(tokenizer.encode('a\ud83d'))).toBe('a\ufffd');
  });

  it('recognises its special ids', () => {
    const tokenizer = build({ endOfTurnIds: [5] });
    expect(tokenizer.vocabSize).toBe(tinyTokens.length);
    expect([tokenizer.bosTokenId, tokenizer.eosTokenId, tokenizer.padTokenId]).toEqual([
      null,
      0,
      2,
    ]);
    expect([...tokenizer.specialTokenIds]).toEqual([0, 1, 2]);
    expect([...tokenizer.endOfTurnIds]).toEqual([0, 5]);
    expect(tokenizer.tokenToId('hello')).toBe(tinyTokens.indexOf('hello'));
    expect(tokenizer.tokenToId('absent')).toBeNull();
  });

  it("ends a turn with the families' end-of-turn tokens", () => {
    const tokenizer = build({ config: { eos_token: '<|pad|>' } });
    expect([...tokenizer.endOfTurnIds]).toEqual([2, 0]);
  });

  it.each<[string, unknown, number[]]>([
    ['no post-processor', null, []],
    ['a template with bos', templateOf(user, text), [1]],
    ['a template with eos', templateOf(text, end), []],
    ['a template with both', templateOf(user, text, end), [1]],
    ['a template with several tokens', templateOf(user, end, text), [1, 0, 2]],
    ['BertProcessing', bert, [1]],
    ['RobertaProcessing', roberta, [1]],
    ['ByteLevel', byteLevel, []],
    ['a Sequence', { type: 'Sequence', processors: [byteLevel, templateOf(user, text, end)] }, [1]],
  ])('adds the tokens before a text, never those after it: %s', (_, processor, prefix) => {
    const tokenizer = build({ json: { ...tinyTokenizerJson(), post_processor: processor } });
    const hello = tokenizer.tokenToId('hello')!;
    expect(tokenizer.encode('hello')).toEqual([hello]);
    expect(tokenizer.encode('hello', { addSpecialTokens: true })).toEqual([...prefix, hello]);
    expect(tokenizer.encode('', { addSpecialTokens: true })).toEqual(prefix);
    expect(tokenizer.encodePieces(['', 'hello'], { addSpecialTokens: true })).toEqual([
      prefix,
      [hello],
    ]);
  });

  it('neither truncates nor pads texts, regardless of tokenizer.json', () => {
    const json = {
      ...tinyTokenizerJson(),
      truncation: { max_length: 2, strategy: 'LongestFirst', stride: 0, direction: 'Right' },
      padding: {
        strategy: { Fixed: 9 },
        direction: 'Right',
        pad_to_multiple_of: null,
        pad_id: 2,
        pad_type_id: 0,
        pad_token: '<|pad|>',
      },
    };
    expect(build({ json }).encode('abc')).toHaveLength(3);
  });

  it('has a hash that changes only with merges, special tokens and template', () => {
    const json = tinyTokenizerJson();
    json.model.merges = (json.model.merges as string[]).slice(1).concat('h e');
    const hashes = [
      build(),
      build({ json }),
      build({ config: { eos_token: '<|user|>' } }),
      build({ chatTemplates: { default: 'x' } }),
    ].map(({ hash }) => hash);
    expect(new Set(hashes).size).toBe(4);
    expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(build({ source: 'elsewhere' }).hash).toBe(hashes[0]);
  });

  it('saves a folder that gives the same tokenizer', () => {
    const folder = mkdtempSync(join(tmpdir(), 'keel-tokenizer-'));
    try {
      const tokenizer = build({
        chatTemplates: { default: '{{ eos_token }}', tools: '{{ tools }}' },
      });
      tokenizer.save(folder);
      const again = tokenizerFromFolder(folder);
      expect(again.hash).toBe(tokenizer.hash);
      expect(again.encode('hello wo<|end|>')).toEqual(tokenizer.encode('hello wo<|end|>'));
      expect(again.chatTemplate!.render([{ role: 'user', content: '' }])).toBe('<|end|>');
      expect(readFileSync(join(folder, 'additional_chat_templates/tools.jinja'), 'utf8')).toBe(
        '{{ tools }}',
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('refuses very long white space, on which the library would end the process', () => {
    expect(() => build().encode(' '.repeat(3_000_000))).toThrow(/white space in a row/);
    expect(build().encode(`a${' '.repeat(1000)}`).length).toBeGreaterThan(1);
  });

  it('names the text for which the vocabulary has no token', () => {
    const json = tinyTokenizerJson();
    json.model = { type: 'WordLevel', vocab: { hello: 0 }, unk_token: 'none' } as never;
    json.added_tokens = [];
    const tokenizer = build({ json, config: {} });
    expect(tokenizer.encode('hello')).toEqual([0]);
    expect(() => tokenizer.encode('hell')).toThrow(/tiny: cannot encode a text: WordLevel error/);
    // The thread still works after an error.
    expect(tokenizer.encode('hello')).toEqual([0]);
  });

  it('reports that there is no chat template', () => {
    expect(() => renderConversation(build(), [{ role: 'user', content: 'a' }])).toThrow(
      /no chat template/,
    );
  });
});

describe('broken tokenizers', () => {
  const changed = (change: (json: ReturnType<typeof tinyTokenizerJson>) => void): unknown => {
    const json = tinyTokenizerJson();
    change(json);
    return json;
  };
  const asComponent = (name: string, value: unknown): unknown =>
    changed((json) => Object.assign(json, { [name]: value }));
  const asModel = (value: Record<string, unknown>): unknown =>
    changed((json) => Object.assign(json.model, value));
  it.each<[string, unknown, RegExp]>([
    ['no merges', changed((json) => delete json.model.merges), /no merges/],
    ['no vocabulary', changed((json) => delete json.model.vocab), /no vocabulary/],
    ['a merge of unknown tokens', asModel({ merges: ['h e', 'he q\u0000'] }), /merge 1 \("he q/],
    ['a merge of three', asModel({ merges: ['h e l'] }), /merge 0/],
    [
      'a merge into no token that is longer than all',
      asModel({ merges: ['hello hello'] }),
      /merge 0/,
    ],
    ['a merge into no token', asModel({ merges: ['h q'] }), /model cannot be used: .*`hq`/],
    [
      'a merge that does not match the prefix of continuing tokens',
      asModel({ continuing_subword_prefix: '##', merges: ['h e'] }),
      /merge 0 .* continuing_subword_prefix "##"/,
    ],
    ['two tokens with one id', asModel({ vocab: { h: 0, e: 0 } }), /two tokens have the id 0/],
    ['an id that is not a valid number', asModel({ vocab: { h: -1 } }), /"h" has the id -1/],
    ['another model', asModel({ type: 'Magic' }), /its model is Magic; expected BPE/],
    ['dropout', asModel({ dropout: 0.1 }), /dropout 0\.1/],
    [
      'an unknown component',
      asComponent('pre_tokenizer', { type: 'Magic' }),
      /its pre-tokenizer Magic is unknown; .* BertPreTokenizer, ByteLevel/,
    ],
    [
      'a missing field in a Sequence',
      asComponent('normalizer', {
        type: 'Sequence',
        normalizers: [{ type: 'NFC' }, { type: 'Prepend' }],
      }),
      /normalizer\.normalizers\[1\] \(Prepend\) cannot be used: missing field/,
    ],
    [
      'a missing field',
      asComponent('decoder', { type: 'ByteLevel' }),
      /decoder \(ByteLevel\) cannot be used: missing field `add_prefix_space`/,
    ],
    [
      'an invalid regular expression',
      asComponent('pre_tokenizer', {
        type: 'Split',
        pattern: { Regex: '([' },
        behavior: 'Isolated',
        invert: false,
      }),
      /pre_tokenizer \(Split\) cannot be used: .*char-class/,
    ],
    // These would make the library end the process.
    [
      'a template with an undefined token',
      asComponent('post_processor', { ...templateOf(user, text), special_tokens: {} }),
      /uses "<\|user\|>" in its single, which its special_tokens do not define/,
    ],
    [
      'a template without a text',
      asComponent('post_processor', templateOf(user)),
      /must have the text \(\$A\) exactly once in its single, and has none/,
    ],
    [
      'a template with another text',
      asComponent('post_processor', templateOf({ Sequence: { id: 'B', type_id: 0 } })),
      /exactly once in its single, and has \$B/,
    ],
    [
      'pieces of no length',
      asComponent('pre_tokenizer', { type: 'FixedLength', length: 0 }),
      /FixedLength pre-tokenizer has length 0/,
    ],
    [
      'a damaged character map',
      asComponent('normalizer', { type: 'Precompiled', precompiled_charsmap: 'AAAA' }),
      /Precompiled normalizer cannot be used: its precompiled_charsmap is too short/,
    ],
    [
      'a decoder that strips ends',
      asComponent('decoder', { type: 'Strip', content: ' ', start: 0, stop: 1 }),
      /Strip decoder has stop 1/,
    ],
    ['an unknown field', asComponent('magic', 1), /has the field "magic"/],
    ['no object', [], /tiny/],
    [
      'added tokens without ids',
      changed((json) => json.added_tokens.push({} as never)),
      /added_tokens/,
    ],
  ])('%s', (_, json, message) => {
    expect(() => build({ json })).toThrow(TokenizerError);
    expect(() => build({ json })).toThrow(message);
  });

  it('a special token missing from the vocabulary', () => {
    expect(() => build({ config: { eos_token: '</s>' } })).toThrow(
      /eos_token is "<\/s>", which is not in the vocabulary/,
    );
  });
});

describe('the golden tiny-chat tokenizer', () => {
  const tokenizer = tokenizerFromFolder(goldenPath('tiny-chat'));

  // Ids from the Rust library, tokenizers 0.23.3.
  it.each<[string, number[]]>([
    ['٣٤½ Ⅷ12', [152, 99, 152, 100, 129, 124, 223, 161, 230, 103, 19, 20]],
    [
      'a\u0085b \ufeff c\u0085\u0085 d',
      [67, 129, 230, 68, 223, 174, 122, 126, 298, 129, 230, 129, 230, 396],
    ],
    ['<|im_end|><repo_name>x<|im_', [2, 30, 274, 82, 81, 65, 80, 67, 382, 32, 90, 30, 94, 451, 65]],
  ])('%j', (text, ids) => {
    expect(tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(text);
  });

  it('restores every text', () => {
    for (const text of oddTexts(200)) expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  });

  it('has the same pad and eos token, and a chat template', () => {
    expect([tokenizer.eosTokenId, tokenizer.padTokenId, tokenizer.bosTokenId]).toEqual([2, 2, 1]);
    expect([...tokenizer.endOfTurnIds]).toEqual([2]);
    const { text, ids } = renderConversation(tokenizer, [{ role: 'user', content: 'hi' }], {
      addGenerationPrompt: true,
    });
    expect(text).toBe('<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n');
    expect(ids.filter((id) => id < 3)).toEqual([1, 2, 1]);
  });
});
