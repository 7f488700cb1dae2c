import { z } from 'zod';
import { faultsIn } from '../formats/issue-words.ts';
import { charsmapFault } from './precompiled-charsmap.ts';
import { TokenizerError } from './tokenizer-error.ts';

const component = z.looseObject({
  type: z.string(),
  get normalizers() {
    return z.array(component).optional();
  },
  get pretokenizers() {
    return z.array(component).optional();
  },
  get processors() {
    return z.array(component).optional();
  },
  get decoders() {
    return z.array(component).optional();
  },
});

const addedToken = z.looseObject({
  id: z.int().nonnegative(),
  content: z.string().min(1),
  special: z.boolean().default(false),
});

const schema = z.looseObject({
  added_tokens: z.array(addedToken).default([]),
  normalizer: component.nullish(),
  pre_tokenizer: component.nullish(),
  post_processor: component.nullish(),
  decoder: component.nullish(),
  model: z.looseObject({ type: z.string().optional() }),
});

/** A part of the pipeline: a normalizer, pre-tokenizer, post-processor or decoder. */
export interface Component {
  type: string;
  [key: string]: unknown;
}

export interface AddedToken {
  id: number;
  content: string;
  special: boolean;
  [key: string]: unknown;
}

/** The contents of a tokenizer.json as the Hugging Face tokenizers library writes it. */
export interface TokenizerJson {
  added_tokens: AddedToken[];
  normalizer?: Component | null;
  pre_tokenizer?: Component | null;
  post_processor?: Component | null;
  decoder?: Component | null;
  model: Record<string, unknown> & { type?: string };
  [key: string]: unknown;
}

/**
 * Checks what the Rust library does not check. It ends the whole process on some damaged files, and
 * accepts others although their ids are meaningless. All other checks are left to the library.
 *
 * @throws TokenizerError
 */
export const checkTokenizerJson = (value: unknown, where: string): TokenizerJson => {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new TokenizerError(where, faultsIn(parsed.error));
  const json = parsed.data as TokenizerJson;
  const far = json.added_tokens.find(({ id }) => id >= MOST_IDS);
  if (far !== undefined) {
    throw new TokenizerError(
      where,
      `the added token ${JSON.stringify(far.content)} has the id ${far.id}; ids are below ${MOST_IDS}`,
    );
  }
  const fail = (message: string): never => {
    throw new TokenizerError(where, message);
  };
  checkModel(json.model, fail);
  for (const { name, types, fault } of stages) {
    const stage = name.replace('_', '-');
    for (const part of parts(json[name] as Component | null | undefined)) {
      if (!types.includes(part.type)) {
        fail(
          `its ${stage} ${part.type} is unknown; the tokenizers library has ${types.join(', ')}`,
        );
      }
      const found = fault(part);
      if (found !== null) fail(`its ${part.type} ${stage} ${found}`);
    }
  }
  return json;
};

/** Memory is allocated up to the largest id. The largest vocabularies have about 300,000 tokens. */
const MOST_IDS = 2 ** 24;

type Fail = (message: string) => never;

const checkModel = (model: TokenizerJson['model'], fail: Fail): void => {
  const { vocab, merges, dropout, continuing_subword_prefix: prefix } = model;
  if (typeof dropout === 'number' && dropout !== 0) {
    fail(
      `its model has dropout ${dropout}, which splits the same text differently each time. ` +
        'Set dropout to null',
    );
  }
  if (!vocab || typeof vocab !== 'object' || Array.isArray(vocab)) return;
  checkIds(vocab, fail);
  if (Array.isArray(merges))
    checkMerges(merges, vocab, typeof prefix === 'string' ? prefix : '', fail);
};

/**
 * The library joins the parts without the second one's prefix, in a buffer that only fits the
 * longest token.
 */
const checkMerges = (merges: unknown[], vocab: object, prefix: string, fail: Fail): void => {
  const longest = mostBytes(Object.keys(vocab));
  merges.forEach((merge, index) => {
    const pair = typeof merge === 'string' ? merge.split(' ') : merge;
    if (!Array.isArray(pair)) return;
    const [left, right] = pair;
    // The library itself refuses anything that is not a pair of texts.
    if (typeof left !== 'string' || typeof right !== 'string') return;
    const name = (): string => `merge ${index} (${JSON.stringify(merge)})`;
    if (!right.startsWith(prefix)) {
      const text = JSON.stringify(prefix);
      fail(`${name()} does not begin its second part with the continuing_subword_prefix ${text}`);
    }
    const length = left.length + right.length - prefix.length;
    const isLonger = (): boolean =>
      Buffer.byteLength(left) + Buffer.byteLength(right) - Buffer.byteLength(prefix) > longest;
    if (length * MOST_BYTES > longest && isLonger()) {
      fail(`${name()} does not join two tokens of the vocabulary to a third`);
    }
  });
};

/** Maximum number of UTF-8 bytes for one UTF-16 unit. */
const MOST_BYTES = 3;

const mostBytes = (texts: readonly string[]): number => {
  let most = 0;
  for (const text of texts) {
    if (text.length * MOST_BYTES > most) most = Math.max(most, Buffer.byteLength(text));
  }
  return most;
};

const checkIds = (vocab: object, fail: Fail): void => {
  const ids = new Set<number>();
  for (const [token, id] of Object.entries(vocab)) {
    if (!Number.isSafeInteger(id) || id < 0 || id >= MOST_IDS) {
      fail(
        `token ${JSON.stringify(token)} has the id ${JSON.stringify(id)?.slice(0, 80)}; ids are whole numbers below ${MOST_IDS}`,
      );
    }
    if (ids.has(id)) fail(`two tokens have the id ${id}; one is ${JSON.stringify(token)}`);
    ids.add(id);
  }
};

/** A component and, if it is a Sequence, everything in it. */
const parts = (component: Component | null | undefined): Component[] => {
  if (!component) return [];
  const inner = ['normalizers', 'pretokenizers', 'processors', 'decoders']
    .map((name) => component[name])
    .find(Array.isArray) as Component[] | undefined;
  return [component, ...(component.type === 'Sequence' ? (inner ?? []).flatMap(parts) : [])];
};

const normalizerFault = ({ type, precompiled_charsmap: charsmap }: Component): string | null => {
  const fault = type === 'Precompiled' ? charsmapFault(charsmap) : null;
  return fault === null ? null : `cannot be used: its precompiled_charsmap ${fault}`;
};

const preTokenizerFault = ({ type, length }: Component): string | null =>
  type === 'FixedLength' && length === 0 ? 'has length 0; it must be at least 1' : null;

const postProcessorFault = (component: Component): string | null => {
  const { type, single, special_tokens: tokens } = component;
  // The library treats anything with these fields as a TemplateProcessing.
  if (type !== 'TemplateProcessing') {
    return Array.isArray(single) ? 'has the fields of a TemplateProcessing' : null;
  }
  // The library itself refuses anything that is not a list.
  if (!Array.isArray(single)) return null;
  const pieces = single as ({ SpecialToken?: { id: string }; Sequence?: { id: string } } | null)[];
  const known = Object.keys((tokens as object | undefined) ?? {});
  const unknown = pieces.find(
    (piece) => piece?.SpecialToken && !known.includes(piece.SpecialToken.id),
  );
  if (unknown) {
    return `uses ${JSON.stringify(unknown.SpecialToken!.id)} in its single, which its special_tokens do not define`;
  }
  const texts = pieces.flatMap((piece) => (piece?.Sequence ? [`$${piece.Sequence.id}`] : []));
  return texts.join() === '$A'
    ? null
    : `must have the text ($A) exactly once in its single, and has ${texts.join(', ') || 'none'}`;
};

const decoderFault = ({ type, stop, pattern }: Component): string | null => {
  if (type === 'Replace' && (pattern as { Regex?: unknown } | null)?.Regex !== undefined) {
    return 'has a regular expression; Keel decodes with a pattern that is a String. Write it so';
  }
  return type === 'Strip' && typeof stop === 'number' && stop > 0
    ? `has stop ${stop}; the tokenizers library fails on tokens of nothing but what it strips there. Set stop to 0`
    : null;
};

const stages = [
  {
    name: 'normalizer',
    types:
      'BertNormalizer ByteLevel Lowercase NFC NFD NFKC NFKD Nmt Precompiled Prepend Replace Sequence Strip StripAccents',
    fault: normalizerFault,
  },
  {
    name: 'pre_tokenizer',
    types:
      'BertPreTokenizer ByteLevel CharDelimiterSplit Digits FixedLength Metaspace Punctuation Sequence Split UnicodeScripts ' +
      'Whitespace WhitespaceSplit',
    fault: preTokenizerFault,
  },
  {
    name: 'post_processor',
    types: 'BertProcessing ByteLevel RobertaProcessing Sequence TemplateProcessing',
    fault: postProcessorFault,
  },
  {
    name: 'decoder',
    types: 'BPEDecoder ByteFallback ByteLevel CTC Fuse Metaspace Replace Sequence Strip WordPiece',
    fault: decoderFault,
  },
].map((stage) => ({ ...stage, types: stage.types.split(' ') }));
