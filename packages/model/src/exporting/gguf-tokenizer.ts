// A tokenizer as a GGUF file's `tokenizer.*` metadata.
import type { GgufValue } from '../formats/gguf-writer.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { Component, TokenizerJson } from '../tokenizer/tokenizer-json.ts';
import { ExportError } from './export-error.ts';
import { preTokenizerName } from './gguf-pre-tokenizer.ts';

/** `enum llama_token_type`. */
const tokenTypes = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 };

export interface GgufTokenizer {
  metadata: [string, GgufValue][];
  notices: string[];
}

/** Tokens at which llama.cpp ends a generation because of their text (src/llama-vocab.cpp). */
const knownEnds = new Set([
  ...['<|eot_id|>', '<|im_end|>', '<|end|>', '<end_of_turn>', '<|endoftext|>', '<|eom_id|>'],
  ...['<EOT>', '_<EOT>', '<|end_of_text|>', '<end_of_utterance>', '<｜end▁of▁sentence｜>'],
]);

/**
 * @param rows rows of the embedding; the file names one token for each
 * @throws ExportError for a kind of tokenizer that GGUF cannot describe
 */
export function ggufTokenizer(tokenizer: Tokenizer, rows: number): GgufTokenizer {
  const { json } = tokenizer;
  const kind = kindOf(json);
  const merges = mergesOf(json);
  const { tokens, types, notices } = vocabulary(tokenizer, rows);
  const metadata: [string, GgufValue][] = [
    ['tokenizer.ggml.model', { type: 'string', value: kind }],
    [
      'tokenizer.ggml.pre',
      { type: 'string', value: kind === 'gpt2' ? preTokenizerName(json) : 'default' },
    ],
    ['tokenizer.ggml.tokens', { type: 'strings', value: tokens }],
    ['tokenizer.ggml.token_type', { type: 'int32s', value: types }],
  ];
  if (kind === 'gpt2') {
    const texts = merges.map(([left, right]) => `${left} ${right}`);
    metadata.push(['tokenizer.ggml.merges', { type: 'strings', value: texts }]);
  } else {
    const scores = scoresOf(tokens, merges);
    metadata.push(['tokenizer.ggml.scores', { type: 'float32s', value: scores }]);
    const space = { type: 'bool', value: addsSpace(json) } as const;
    metadata.push(['tokenizer.ggml.add_space_prefix', space]);
  }
  const special = specialTokens(tokenizer, rows);
  metadata.push(...special.metadata, ...templates(tokenizer));
  return { metadata, notices: [...notices, ...special.notices] };
}

function kindOf({ model }: TokenizerJson): 'gpt2' | 'llama' {
  const type = model.type ?? (Array.isArray(model.merges) ? 'BPE' : 'unknown');
  if (type !== 'BPE') {
    throw new ExportError(
      `the tokenizer's model is ${type}; Keel exports byte-level BPE and SentencePiece BPE to GGUF`,
    );
  }
  return model.byte_fallback === true ? 'llama' : 'gpt2';
}

function mergesOf({ model }: TokenizerJson): [string, string][] {
  return ((model.merges ?? []) as (string | [string, string])[]).map((merge) => {
    if (typeof merge !== 'string') return merge;
    const at = merge.indexOf(' ', 1);
    return [merge.slice(0, at), merge.slice(at + 1)];
  });
}

function vocabulary(tokenizer: Tokenizer, rows: number) {
  const { json } = tokenizer;
  const tokens = Array.from({ length: rows }, (_, id) => `[PAD${id}]`);
  const types = new Array<number>(rows).fill(tokenTypes.unused);
  const left: string[] = [];
  const set = (id: number, token: string, type: number): void => {
    if (id >= rows) left.push(token);
    else [tokens[id], types[id]] = [token, type];
  };
  const ids = json.model.vocab as Record<string, number>;
  const unknown = json.model.unk_token;
  const hasBytes = json.model.byte_fallback === true;
  for (const [token, id] of Object.entries(ids)) {
    const isByte = hasBytes && /^<0x[0-9A-F]{2}>$/.test(token);
    const type = token === unknown ? tokenTypes.unknown : isByte ? tokenTypes.byte : 1;
    set(id, token, type);
  }
  for (const { id, content, special } of json.added_tokens) {
    if (content === unknown && ids[content] === id) continue;
    set(id, content, special ? tokenTypes.control : tokenTypes.userDefined);
  }
  const notices =
    left.length === 0
      ? []
      : [
          `the embedding has no row for ${left.length} tokens, which are left out: ${left.slice(0, 4).join(', ')}`,
        ];
  return { tokens, types, notices };
}

/**
 * Scores that put the merges in the same order. The token of the first merge has the largest.
 * Tokens that no merge makes come last.
 */
function scoresOf(tokens: readonly string[], merges: readonly [string, string][]): number[] {
  const ranks = new Map<string, number>();
  merges.forEach((merge, rank) => {
    const token = merge.join('');
    if (!ranks.has(token)) ranks.set(token, rank);
  });
  return tokens.map((token, id) => -(ranks.get(token) ?? merges.length + id));
}

function parts(component: Component | null | undefined): Component[] {
  if (component == null) return [];
  const inner = component.normalizers ?? component.pretokenizers;
  return Array.isArray(inner) ? inner.flatMap((one: Component) => parts(one)) : [component];
}

/** Whether a space is put before a text. */
function addsSpace({ normalizer, pre_tokenizer: pre }: TokenizerJson): boolean {
  const prepends = parts(normalizer).some(
    ({ type, prepend }) => type === 'Prepend' && prepend === '▁',
  );
  const metaspace = parts(pre).find(({ type }) => type === 'Metaspace');
  if (metaspace === undefined) return prepends;
  const { prepend_scheme: scheme, add_prefix_space: adds } = metaspace;
  return prepends || (scheme === undefined ? adds !== false : scheme !== 'never');
}

function specialTokens(tokenizer: Tokenizer, rows: number): GgufTokenizer {
  const metadata: [string, GgufValue][] = [];
  const notices: string[] = [];
  const add = (name: string, id: number | null): void => {
    if (id === null || id >= rows) return;
    metadata.push([`tokenizer.ggml.${name}`, { type: 'uint32', value: id }]);
  };
  const { bosTokenId, padTokenId, namedTokens } = tokenizer;
  const ends = [...tokenizer.endOfTurnIds].filter((id) => id < rows);
  const text = (id: number): string => tokenizer.idToToken(id) ?? '';
  const eos = tokenizer.eosTokenId ?? ends[0];
  if (eos === undefined) {
    throw new ExportError(
      'the tokenizer names no end-of-text token (eos_token), and llama.cpp would use another one',
    );
  }
  add('bos_token_id', bosTokenId);
  add('eos_token_id', eos);
  const others = ends.filter((id) => id !== eos && text(id) !== '<|eom_id|>');
  add('eot_token_id', others[0] ?? null);
  add('eom_token_id', ends.find((id) => text(id) === '<|eom_id|>') ?? null);
  metadata.push([
    'tokenizer.ggml.eos_token_ids',
    { type: 'int32s', value: [eos, ...ends.filter((id) => id !== eos)] },
  ]);
  add('padding_token_id', padTokenId);
  add('unknown_token_id', idOf(tokenizer, namedTokens.unk_token));
  const unknown = others.slice(1).filter((id) => !knownEnds.has(text(id)));
  if (unknown.length > 0) {
    notices.push(
      `llama.cpp does not end a text at ${unknown.map(text).join(', ')}: its format has room for two such tokens. Pass them as stop strings`,
    );
  }
  const prefix = tokenizer.encode('', { addSpecialTokens: true });
  const adds = prefix.length === 1 && prefix[0] === bosTokenId;
  if (prefix.length > 0 && !adds) {
    throw new ExportError(
      `the tokenizer puts ${prefix.map(text).join('')} before a text; GGUF knows only one token there, bos_token`,
    );
  }
  metadata.push(['tokenizer.ggml.add_bos_token', { type: 'bool', value: adds }]);
  return { metadata, notices };
}

const idOf = (tokenizer: Tokenizer, token: string | undefined): number | null =>
  token === undefined ? null : tokenizer.tokenToId(token);

function templates({ chatTemplate }: Tokenizer): [string, GgufValue][] {
  if (chatTemplate === null) return [];
  const entries = Object.entries(chatTemplate.sources);
  const named = entries.filter(([name]) => name !== 'default').map(([name]) => name);
  return [
    ...(named.length === 0
      ? []
      : ([['tokenizer.chat_templates', { type: 'strings', value: named }]] satisfies [
          string,
          GgufValue,
        ][])),
    ...entries.map(([name, value]): [string, GgufValue] => [
      name === 'default' ? 'tokenizer.chat_template' : `tokenizer.chat_template.${name}`,
      { type: 'string', value },
    ]),
  ];
}
