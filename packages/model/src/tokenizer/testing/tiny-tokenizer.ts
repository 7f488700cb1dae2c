/** The printable character that stands for each byte in byte-level vocabularies. */
export const byteCharacters: readonly string[] = (() => {
  const printable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(printable(byte) ? byte : next++),
  );
})();

const marks = ['<|end|>', '<|user|>', '<|pad|>'];

/** Each merge as its two parts; the joined text becomes a token. */
export const tinyMerges: readonly string[] = [
  'h e',
  'l l',
  'he ll',
  'hell o',
  'Ġ w',
  'Ġw o',
  '1 2',
  '12 3',
  '123 4',
  "' L",
  "'L L",
  'a y',
  'ay H',
  'Ã ©',
];

/** Three special tokens, then all bytes, then the results of the merges. */
export const tinyTokens: readonly string[] = [
  ...marks,
  ...byteCharacters,
  ...tinyMerges.map((merge) => merge.replace(' ', '')),
];

/** A byte-level BPE tokenizer.json that can encode any text. */
export const tinyTokenizerJson = () => ({
  version: '1.0',
  added_tokens: marks.map((content, id) => ({
    id,
    content,
    special: true,
    normalized: false,
    lstrip: false,
    rstrip: false,
    single_word: false,
  })),
  normalizer: null as unknown,
  pre_tokenizer: {
    type: 'ByteLevel',
    add_prefix_space: false,
    trim_offsets: true,
    use_regex: true,
  } as unknown,
  post_processor: null as unknown,
  decoder: {
    type: 'ByteLevel',
    add_prefix_space: true,
    trim_offsets: true,
    use_regex: true,
  } as unknown,
  model: {
    type: 'BPE',
    vocab: Object.fromEntries(tinyTokens.map((token, id) => [token, id])) as unknown,
    merges: [...tinyMerges] as unknown,
  },
});

/** The same vocabulary as a GGUF file's metadata. */
export const tinyGgufMetadata = (): Record<string, unknown> => ({
  'tokenizer.ggml.model': 'gpt2',
  'tokenizer.ggml.pre': 'gpt-2',
  'tokenizer.ggml.tokens': [...tinyTokens],
  'tokenizer.ggml.token_type': tinyTokens.map((_, id) => (id < marks.length ? 3 : 1)),
  'tokenizer.ggml.merges': [...tinyMerges],
  'tokenizer.ggml.eos_token_id': 0,
  'tokenizer.ggml.padding_token_id': 2,
});

/**
 * Reproducible texts of unusual Unicode: all planes, combining marks, controls, spaces, and the
 * text of special tokens.
 */
export const oddTexts = (count: number): string[] => {
  let state = 12345;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const pieces = [
    () => 'hello wo 1234',
    () => String.fromCodePoint(random(0x80)),
    () => String.fromCodePoint(0x80 + random(0xd800 - 0x80)),
    () => String.fromCodePoint(0xe000 + random(0x2000)),
    () => String.fromCodePoint(0x10000 + random(0x100000)),
    () => '👩‍🚀é\u0301',
    () => '\r\n\t \u00a0\u0085\u2028\ufeff\ufffd',
    () => '<|user|>',
    () => '<|us',
  ];
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + random(12) }, () => pieces[random(pieces.length)]!()).join(''),
  );
};
