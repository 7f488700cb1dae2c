import { dictionary } from '../formats/dictionary.ts';
import { inPlainWords } from '../formats/engine-words.ts';
import { checkAdapterTokens } from './adapter-tokenizer.ts';
import { encodingThread } from './encoding-thread.ts';
import { Fields, tokenTypes } from './gguf-fields.ts';
import { checkTemplateMarks, withNamedMarks } from './gguf-marks.ts';
import { type LoadTokenizerOptions, templatesWith } from './load-options.ts';
import { preTokenizerFamilies } from './pre-tokenizers.ts';
import { mergesFromScores } from './sentencepiece-merges.ts';
import { Tokenizer, type TokenizerConfig } from './tokenizer.ts';
import { TokenizerError } from './tokenizer-error.ts';
import type { AddedToken, Component } from './tokenizer-json.ts';

/**
 * Builds the tokenizer that a GGUF file describes in its `tokenizer.ggml.*` metadata: `gpt2`
 * (byte-level BPE) and `llama` (SentencePiece BPE with byte fallback). `source` names the file in
 * messages.
 *
 * @throws TokenizerError if fields are missing, contradict each other, or name a tokenizer Keel
 *   does not know.
 */
export const tokenizerFromGguf = (
  metadata: Record<string, unknown>,
  source = 'the GGUF file',
  options: LoadTokenizerOptions = {},
): Tokenizer =>
  inPlainWords(
    (reason, cause) =>
      new TokenizerError(source, `its tokenizer cannot be read: ${reason}`, { cause }),
    () => fromGguf(metadata, source, options),
  );

const fromGguf = (
  metadata: Record<string, unknown>,
  source: string,
  options: LoadTokenizerOptions,
): Tokenizer => {
  // The thread starts while the vocabulary is built.
  encodingThread();
  const { source: ownTemplate, adapters, ...template } = options.template ?? {};
  const fields = new Fields(metadata, source);
  const model = fields.text('model');
  if (model !== 'gpt2' && model !== 'llama') {
    return fields.fail(
      model === undefined
        ? 'tokenizer.ggml.model is missing: the file contains no tokenizer'
        : `tokenizer.ggml.model is ${JSON.stringify(model)}; Keel supports "gpt2" (byte-level BPE) and "llama" (SentencePiece BPE)`,
    );
  }
  const tokens = fields.texts('tokens');
  if (!tokens) return fields.fail('tokenizer.ggml.tokens is missing: there is no vocabulary');
  const types = withNamedMarks(fields, tokens);
  const pipeline =
    model === 'gpt2' ? byteLevel(fields, tokens, types) : sentencePiece(fields, tokens);
  const special = specialTokens(fields, tokens);
  const json = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(tokens, types, stripsAfterMarks(metadata, model)),
    ...pipeline.json,
    post_processor: postProcessor(fields, special, pipeline.addsBos),
  };
  const architecture = String(metadata['general.architecture'] ?? '');
  const longest = metadata[`${architecture}.context_length`];
  const templates = chatTemplates(metadata);
  const tokenizer = new Tokenizer({
    source,
    json,
    config: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      ...special,
      ...(typeof longest === 'number' ? { model_max_length: longest } : {}),
      clean_up_tokenization_spaces: false,
    },
    chatTemplates: templatesWith(templates, ownTemplate),
    template,
    endOfTurnIds: [
      ...['eot_token_id', 'eom_token_id'].map((name) => fields.id(name, tokens)),
      ...fields.ids('eos_token_ids', tokens),
    ].filter((id) => id !== null),
  });
  for (const adapter of adapters ?? []) checkAdapterTokens(tokenizer, adapter);
  checkTemplateMarks(tokenizer, { fields, tokens, types, templates: Object.values(templates) });
  return tokenizer;
};

interface Pipeline {
  json: Record<string, unknown>;
  addsBos: boolean;
}

const byteLevel = (fields: Fields, tokens: string[], types: readonly number[]): Pipeline => {
  const name = fields.text('pre');
  // llama.cpp takes its default pattern and warns of worse answers: it is no model's own.
  if (name === undefined) {
    return fields.fail(
      'tokenizer.ggml.pre is missing, so it is unknown where text is split into words; files from before May 2024 lack it. ' +
        'Convert the model again, or use its Hugging Face folder, which has a tokenizer.json',
    );
  }
  const family = preTokenizerFamilies.get(name);
  if (!family) {
    return fields.fail(
      `tokenizer.ggml.pre is ${JSON.stringify(name)}; Keel supports ${[...preTokenizerFamilies.keys()].join(', ')}. ` +
        'Use the model’s Hugging Face folder, which has a tokenizer.json',
    );
  }
  const merges = fields.texts('merges');
  if (!merges) {
    return fields.fail(
      'tokenizer.ggml.merges is missing: text cannot be tokenised without merges. Convert the model again',
    );
  }
  // Unused entries only pad the vocabulary to the embedding's number of rows. No text is ever
  // tokenised to them.
  const vocab = vocabulary(
    fields,
    tokens.map((token, id) => (types[id] === tokenTypes.unused ? null : token)),
  );
  return {
    json: {
      normalizer: family.normalizer ?? null,
      pre_tokenizer: family.preTokenizer,
      decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
      model: {
        ...bytePairDefaults,
        ignore_merges: family.ignoreMerges ?? false,
        vocab,
        merges: merges.map((merge) => splitMerge(merge)),
      },
    },
    addsBos: family.addsBos ?? false,
  };
};

// A space may be part of the first part, but cannot start it.
const splitMerge = (merge: string): string[] => {
  const at = merge.indexOf(' ', 1);
  return at < 0 ? [merge] : [merge.slice(0, at), merge.slice(at + 1)];
};

const sentencePiece = (fields: Fields, tokens: string[]): Pipeline => {
  const scores = fields.numbers('scores', tokens.length);
  if (!scores) {
    return fields.fail('tokenizer.ggml.scores is missing: a SentencePiece vocabulary needs them');
  }
  const vocab = vocabulary(fields, tokens);
  const unknown = fields.id('unknown_token_id', tokens) ?? 0;
  const addsSpace = fields.flag('add_space_prefix') ?? true;
  const replace: Component = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  const prepend: Component = { type: 'Prepend', prepend: '▁' };
  const restore: Component = { type: 'Replace', pattern: { String: '▁' }, content: ' ' };
  const strip: Component = { type: 'Strip', content: ' ', start: 1, stop: 0 };
  return {
    json: {
      normalizer: { type: 'Sequence', normalizers: addsSpace ? [prepend, replace] : [replace] },
      pre_tokenizer: null,
      decoder: {
        type: 'Sequence',
        decoders: [
          restore,
          { type: 'ByteFallback' },
          { type: 'Fuse' },
          ...(addsSpace ? [strip] : []),
        ],
      },
      model: {
        ...bytePairDefaults,
        unk_token: tokens[unknown],
        fuse_unk: true,
        byte_fallback: true,
        vocab,
        merges: mergesFromScores(tokens, scores),
      },
    },
    addsBos: true,
  };
};

const bytePairDefaults = {
  type: 'BPE',
  dropout: null,
  unk_token: null,
  continuing_subword_prefix: null,
  end_of_word_suffix: null,
  fuse_unk: false,
  byte_fallback: false,
  ignore_merges: false,
};

const vocabulary = (fields: Fields, tokens: (string | null)[]): Record<string, number> => {
  const ids = new Map<string, number>();
  tokens.forEach((token, id) => {
    if (token === null) return;
    const before = ids.get(token);
    if (before !== undefined) {
      fields.fail(`tokens ${before} and ${id} are both ${JSON.stringify(token)}`);
    }
    ids.set(token, id);
  });
  return Object.fromEntries(ids);
};

// GGUF cannot express that a token absorbs the space after it. Of these models, only Phi-3's marks
// do.
const stripsAfterMarks = (metadata: Record<string, unknown>, model: string): boolean =>
  model === 'llama' && metadata['general.architecture'] === 'phi3';
const plainMarks = ['<unk>', '<s>', '<|endoftext|>'];

const addedTokens = (
  tokens: string[],
  types: readonly number[],
  stripsAfter: boolean,
): AddedToken[] =>
  tokens
    .map((content, id) => ({ content, id, type: types[id] }))
    .filter(({ type }) => type === tokenTypes.control || type === tokenTypes.userDefined)
    .map(({ content, id, type }) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: stripsAfter && type === tokenTypes.control && !plainMarks.includes(content),
      normalized: false,
      special: type === tokenTypes.control,
    }));

const specialTokens = (fields: Fields, tokens: string[]): TokenizerConfig => {
  const config: TokenizerConfig = {};
  const add = (name: keyof TokenizerConfig, field: string): void => {
    const id = fields.id(field, tokens);
    if (id !== null) config[name] = tokens[id];
  };
  add('bos_token', 'bos_token_id');
  add('eos_token', 'eos_token_id');
  add('unk_token', 'unknown_token_id');
  add('pad_token', 'padding_token_id');
  return config;
};

const postProcessor = (
  fields: Fields,
  { bos_token: bos, eos_token: eos }: TokenizerConfig,
  familyAddsBos: boolean,
): Component | null => {
  const first = (fields.flag('add_bos_token') ?? familyAddsBos) ? bos : null;
  const last = (fields.flag('add_eos_token') ?? false) ? eos : null;
  if (!first && !last) return null;
  const ids = {
    [String(bos)]: fields.number('bos_token_id'),
    [String(eos)]: fields.number('eos_token_id'),
  };
  const mark = (token: string | null | undefined, type: number): unknown[] =>
    token ? [{ SpecialToken: { id: token, type_id: type } }] : [];
  const part = (id: string, type: number): unknown[] => [
    ...mark(first, type),
    { Sequence: { id, type_id: type } },
    ...mark(last, type),
  ];
  const used = [first, last].filter((token): token is string => typeof token === 'string');
  return {
    type: 'TemplateProcessing',
    single: part('A', 0),
    pair: [...part('A', 0), ...part('B', 1)],
    special_tokens: Object.fromEntries(
      used.map((token) => [token, { id: token, ids: [ids[token]], tokens: [token] }]),
    ),
  };
};

const chatTemplates = (metadata: Record<string, unknown>): Record<string, string> => {
  const prefix = 'tokenizer.chat_template';
  const templates = dictionary<string>();
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') continue;
    if (key === prefix) templates.default = value;
    else if (key.startsWith(`${prefix}.`)) templates[key.slice(prefix.length + 1)] = value;
  }
  return templates;
};
