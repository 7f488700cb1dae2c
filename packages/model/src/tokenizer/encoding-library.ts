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
  description: Description;
  /** The tokenizer for a position. It has the components of this position until the next call. */
  standAt: (position: TextPosition) => Standing;
}

interface Standing {
  tokenizer: Tokenizer;
  /** Ids of added tokens that differ from those of tokenizer.json, and what they are there. */
  ownIds: ReadonlyMap<number, number> | null;
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
  const own = { tokenizer, ownIds: null };
  const standAtOwn = exchange(own, components);
  const unprefixed =
    components.unprefixedNormalizer === undefined
      ? null
      : matchingAsAfterPrefix(library, json, { addedTokens, addedIds, addedTexts });
  const standAtOther = unprefixed && exchange(unprefixed, components);
  return {
    description: { prefix, addedIds, addedTexts },
    standAt: (position) =>
      standAtOther !== null && componentsAt[position].normalizer === 'unprefixed'
        ? standAtOther(position)
        : standAtOwn(position),
  };
}

/**
 * The tokenizer for texts before which nothing is put. Added tokens are matched in normalized text
 * as they are by the whole tokenizer, with the space that `Prepend` puts before their own text:
 * with another normalizer, the library would match them without it.
 * @returns null if no added token is matched in another form
 */
function matchingAsAfterPrefix(
  library: typeof import('tokenizers'),
  json: string,
  { addedTokens, addedIds, addedTexts }: Pick<LoadMessage, 'addedTokens'> & AddedIds,
): Standing | null {
  const written = JSON.parse(json) as { added_tokens?: { content: string; normalized: boolean }[] };
  const matched = new Map(addedTokens.map((content, at) => [content, addedTexts[at]!] as const));
  const changed = (written.added_tokens ?? []).flatMap((token) => {
    const text = matched.get(token.content);
    return token.normalized && text && text !== token.content ? [{ token, text }] : [];
  });
  if (changed.length === 0) return null;
  for (const { token, text } of changed) token.content = text;
  const tokenizer = library.Tokenizer.fromString(JSON.stringify(written));
  tokenizer.disableTruncation();
  tokenizer.disablePadding();
  tokenizer.setPostProcessor(library.byteLevelProcessing(false));
  const ownIds = new Map<number, number>();
  addedTokens.forEach((content, at) => {
    const own = addedIds[at]!;
    const other = tokenizer.tokenToId(matched.get(content)!) ?? tokenizer.tokenToId(content);
    if (own !== null && other !== null && own !== other) ownIds.set(other, own);
  });
  return { tokenizer, ownIds };
}

type AddedIds = Pick<Description, 'addedIds' | 'addedTexts'>;

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
  standing: Standing,
  components: PositionedComponents,
): (position: TextPosition) => Standing {
  const { tokenizer } = standing;
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
    if (position === now) return standing;
    now = position;
    const normalizer = normalizerAt(componentsAt[position].normalizer);
    const preTokenizer = preTokenizerAt(componentsAt[position].preTokenizer);
    if (normalizer) tokenizer.setNormalizer(normalizer);
    if (preTokenizer) tokenizer.setPreTokenizer(preTokenizer);
    return standing;
  };
}

export async function encode(
  { standAt }: Loaded,
  { texts, position, offsets }: EncodeRequest,
): Promise<EncodedBatch> {
  const { tokenizer, ownIds } = standAt(position);
  const options = { addSpecialTokens: false };
  const encodings =
    texts.length === 1
      ? [await tokenizer.encode(texts[0]!, null, options)]
      : await tokenizer.encodeBatch([...texts], options);
  const lists = encodings.map((encoding) => encoding.getIds());
  const counts = lists.map(({ length }) => length);
  const found = Uint32Array.from(lists.length === 1 ? lists[0]! : lists.flat());
  const ids = ownIds === null ? found : found.map((id) => ownIds.get(id) ?? id);
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
