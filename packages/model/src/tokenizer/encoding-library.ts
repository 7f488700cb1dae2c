// The part of an encoding thread, or of a separate process, that uses the Rust library, whose
// encoding is asynchronous.
import type { Encoding, Normalizer, PreTokenizer, Tokenizer } from 'tokenizers';
import type {
  Description,
  EncodedBatch,
  EncodeRequest,
  LoadMessage,
  PositionedComponents,
  TextPosition,
} from './encoding-protocol.ts';
import { libraryWith } from './library-tokenizer.ts';

export interface Loaded {
  tokenizer: Tokenizer;
  description: Description;
  /** Sets the components that apply at a position, unless they are already set. */
  standAt: (position: TextPosition) => void;
}

/** @throws the library's error if it rejects the tokenizer */
export async function load({ json, components, addedTokens }: LoadMessage): Promise<Loaded> {
  const library = await import('tokenizers');
  const tokenizer = library.Tokenizer.fromString(json);
  // Texts must not be truncated or padded silently.
  tokenizer.disableTruncation();
  tokenizer.disablePadding();
  const prefix = await prefixOf(tokenizer);
  // Adds nothing, and leaves in the offsets the spaces that other post-processors trim.
  tokenizer.setPostProcessor(library.byteLevelProcessing(false));
  const addedIds = addedTokens.map((token) => tokenizer.tokenToId(token));
  const addedTexts = addedIds.map((id) => (id === null ? null : tokenizer.idToToken(id)));
  return {
    tokenizer,
    description: { prefix, addedIds, addedTexts },
    standAt: exchange(tokenizer, components),
  };
}

/**
 * The tokens that the post-processor puts before a text, found by passing it one token from another
 * tokenizer.
 */
async function prefixOf(tokenizer: Tokenizer): Promise<number[]> {
  const one = await libraryWith({}).encode('x', null, { addSpecialTokens: false });
  const processed = tokenizer.postProcess(one, null, true);
  const at = processed.getSpecialTokensMask().indexOf(0);
  return processed.getIds().slice(0, at);
}

/** The components that apply at a position; see {@link TextPosition}. */
const componentsAt: Record<
  TextPosition,
  { normalizer: 'own' | 'unprefixed'; preTokenizer: 'own' | 'unprefixed' | 'later' }
> = {
  start: { normalizer: 'own', preTokenizer: 'own' },
  afterText: { normalizer: 'unprefixed', preTokenizer: 'unprefixed' },
  afterToken: { normalizer: 'own', preTokenizer: 'later' },
  afterNormalizedToken: { normalizer: 'unprefixed', preTokenizer: 'later' },
};

function exchange(
  tokenizer: Tokenizer,
  components: PositionedComponents,
): (position: TextPosition) => void {
  const normalizers = { own: tokenizer.getNormalizer(), unprefixed: null as Normalizer | null };
  const preTokenizers = {
    own: tokenizer.getPreTokenizer(),
    unprefixed: null as PreTokenizer | null,
    later: null as PreTokenizer | null,
  };
  const json = {
    unprefixed: components.unprefixedPreTokenizer,
    later: components.laterPreTokenizer,
  };
  const normalizerAt = (name: 'own' | 'unprefixed'): Normalizer | null => {
    if (name === 'own' || components.unprefixedNormalizer === undefined) return normalizers.own;
    normalizers.unprefixed ??= libraryWith({
      normalizer: JSON.parse(components.unprefixedNormalizer),
    }).getNormalizer();
    return normalizers.unprefixed;
  };
  const preTokenizerAt = (name: 'own' | 'unprefixed' | 'later'): PreTokenizer | null => {
    const other = name === 'own' ? undefined : json[name];
    if (name === 'own' || other === undefined) return preTokenizers.own;
    preTokenizers[name] ??= libraryWith({ pre_tokenizer: JSON.parse(other) }).getPreTokenizer();
    return preTokenizers[name];
  };
  let now: TextPosition = 'start';
  return (position) => {
    if (position === now) return;
    now = position;
    const normalizer = normalizerAt(componentsAt[position].normalizer);
    const preTokenizer = preTokenizerAt(componentsAt[position].preTokenizer);
    if (normalizer) tokenizer.setNormalizer(normalizer);
    if (preTokenizer) tokenizer.setPreTokenizer(preTokenizer);
  };
}

export async function encode(
  { tokenizer, standAt }: Loaded,
  { texts, position, offsets }: EncodeRequest,
): Promise<EncodedBatch> {
  standAt(position);
  const options = { addSpecialTokens: false };
  const encodings =
    texts.length === 1
      ? [await tokenizer.encode(texts[0]!, null, options)]
      : await tokenizer.encodeBatch([...texts], options);
  const lists = encodings.map((encoding) => encoding.getIds());
  const counts = lists.map(({ length }) => length);
  const ids = Uint32Array.from(lists.length === 1 ? lists[0]! : lists.flat());
  if (!offsets) return { counts, ids, starts: null, ends: null };
  const starts = new Uint32Array(ids.length);
  const ends = new Uint32Array(ids.length);
  let at = 0;
  encodings.forEach((encoding: Encoding, index) => {
    const units = utf16Offsets(texts[index]!);
    for (const [start, end] of encoding.getOffsets() as [number, number][]) {
      starts[at] = units ? units[start]! : start;
      ends[at] = units ? units[end]! : end;
      at += 1;
    }
  });
  return { counts, ids, starts, ends };
}

/**
 * The UTF-16 offset of each code point and of the text's end; null if they are equal to the code
 * point indices.
 */
function utf16Offsets(text: string): Uint32Array | null {
  if (!/[\ud800-\udfff]/.test(text)) return null;
  const units = new Uint32Array(text.length + 1);
  let points = 0;
  let unit = 0;
  for (const character of text) {
    units[points++] = unit;
    unit += character.length;
  }
  units[points] = unit;
  return units;
}
