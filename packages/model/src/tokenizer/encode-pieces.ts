/**
 * Token ids of a text in pieces, where each token belongs to the piece that contains its text.
 *
 * The text is encoded as a whole, as if it had no borders. It is cut at a border if a token would
 * cross it, or if the tokens of the whole do not start with those of the first piece alone. The
 * text after the cut is encoded as a continuation, so that the tokenizer adds no space before it.
 */

import type { TextPosition } from './encoding-protocol.ts';
import type { PlacedTokens } from './rust-tokenizer.ts';

/** The part of a tokenizer that is needed here. */
export interface PieceEncoder {
  place(texts: readonly string[], position: TextPosition): PlacedTokens[];
  prefixesTexts: { byNormalizer: boolean; byPreTokenizer: boolean };
  /** Added tokens by id. */
  addedTokens: ReadonlyMap<number, AddedTokenForm>;
  /** Applies the normalizer to a text. */
  normalize(text: string): string;
}

export interface AddedTokenForm {
  content: string;
  /** Matched in the normalized text. */
  normalized: boolean;
  /** Whether it absorbs the white space before it. */
  lstrip: boolean;
  /** Whether it absorbs the white space after it. */
  rstrip: boolean;
}

/**
 * @param pieces well-formed texts
 * @returns the ids of each piece; those of the first piece are exactly its ids as a separate text
 */
export const encodePieces = (encoder: PieceEncoder, pieces: readonly string[]): number[][] =>
  pieces.length === 0 ? [] : encodeRun(encoder, pieces, null).ids;

/** What precedes a run of pieces: text, or directly an added token. */
interface Before {
  added: AddedTokenForm | null;
}

interface Run {
  ids: number[][];
  end: Before;
}

/** @param before null: the pieces start a text */
function encodeRun(encoder: PieceEncoder, pieces: readonly string[], before: Before | null): Run {
  const text = pieces.join('');
  if (before !== null) return split(encoder, pieces, placeBehind(encoder, text, before), before);
  const texts = pieces.length === 1 ? [text] : [text, pieces[0]!];
  const [whole, first] = encoder.place(texts, 'start') as [PlacedTokens, PlacedTokens | undefined];
  return split(encoder, pieces, whole, before, first);
}

/**
 * @param whole the tokens of all pieces
 * @param first the tokens of the first piece alone, if it must have exactly these
 */
function split(
  encoder: PieceEncoder,
  pieces: readonly string[],
  whole: PlacedTokens,
  before: Before | null,
  first?: PlacedTokens,
): Run {
  const text = pieces.join('');
  const borders = bordersOf(pieces);
  const own = withoutStripped(encoder, text, whole);
  const cuts = straddled(own, borders, text);
  const ids = distribute(own, borders);
  if (first && !isEqual(ids[0]!, first.ids)) cuts.add(1);
  if (cuts.size === 0) return { ids, end: endOf(encoder, text, whole, before) };
  const starts = [0, ...[...cuts].sort((a, b) => a - b), pieces.length];
  const runs: Run[] = [];
  for (let run = 1; run < starts.length; run += 1) {
    const part = pieces.slice(starts[run - 1], starts[run]);
    runs.push(encodeRun(encoder, part, runs.at(-1)?.end ?? before));
  }
  return { ids: runs.flatMap((run) => run.ids), end: runs.at(-1)!.end };
}

/**
 * The added token that a token stands for, if the texts match: the model gives an unknown character
 * the same id as a literal `<unk>`.
 */
function addedAt(
  { addedTokens, normalize }: PieceEncoder,
  text: string,
  { ids, starts, ends }: PlacedTokens,
  index: number,
): AddedTokenForm | null {
  const added = addedTokens.get(ids[index]!);
  if (added === undefined) return null;
  const covered = text.slice(starts[index], ends[index]);
  // The rest is white space that the added token absorbs.
  const [found, own] = [trimmed(covered), trimmed(added.content)];
  if (found === own) return added;
  return added.normalized && normalize(found) === normalize(own) ? added : null;
}

const trimmed = (text: string): string => text.replace(/^\p{White_Space}+|\p{White_Space}+$/gu, '');

function endOf(
  encoder: PieceEncoder,
  text: string,
  placed: PlacedTokens,
  before: Before | null,
): Before {
  const last = placed.ids.length - 1;
  if (last >= 0) {
    const isAtEnd = placed.ends[last] === text.length;
    return { added: isAtEnd ? addedAt(encoder, text, placed, last) : null };
  }
  const isNothing = text.length === whiteSpaceTakenBy(before?.added, text);
  return { added: isNothing ? (before?.added ?? null) : null };
}

/** Length of the white space at the start of a text that the preceding added token absorbs. */
const whiteSpaceTakenBy = (added: AddedTokenForm | null | undefined, text: string): number =>
  added?.rstrip ? /^\p{White_Space}*/u.exec(text)![0].length : 0;

/** Start of each piece, and the end of the text. */
function bordersOf(pieces: readonly string[]): number[] {
  let at = 0;
  return [0, ...pieces.map((piece) => (at += piece.length))];
}

/** Trims the white space that added tokens absorb from their positions. */
function withoutStripped(encoder: PieceEncoder, text: string, placed: PlacedTokens): PlacedTokens {
  const starts = Array.from(placed.starts);
  const ends = Array.from(placed.ends);
  for (let index = 0; index < placed.ids.length; index += 1) {
    const added = addedAt(encoder, text, placed, index);
    if (!added?.lstrip && !added?.rstrip) continue;
    const covered = text.slice(starts[index], ends[index]);
    const at = covered.indexOf(added.content);
    if (at >= 0) {
      starts[index]! += at;
      ends[index] = starts[index]! + added.content.length;
    } else {
      starts[index]! += covered.length - covered.trimStart().length;
      ends[index]! -= covered.length - covered.trimEnd().length;
    }
  }
  return { ids: placed.ids, starts, ends };
}

/**
 * The pieces before which the text must be cut. Either a token crosses their border, or no token
 * starts there, because a normalizer has joined their start to the preceding text, such as an
 * accent to its letter.
 */
function straddled(
  { starts, ends }: PlacedTokens,
  borders: readonly number[],
  text: string,
): Set<number> {
  const inner = borders.slice(1, -1);
  const cuts = new Set<number>();
  const covered = new Set<number>();
  for (let token = 0; token < starts.length; token += 1) {
    const [start, end] = [starts[token]!, ends[token]!];
    for (let at = firstAtLeast(inner, start); at < inner.length && inner[at]! < end; at += 1) {
      covered.add(inner[at]!);
      if (inner[at]! > start) cuts.add(at + 1);
    }
  }
  inner.forEach((border, at) => {
    if (border < text.length && !covered.has(border) && !/\p{White_Space}/u.test(text[border]!))
      cuts.add(at + 1);
  });
  return cuts;
}

/** Index of the first element of `sorted` that is at least `least`. */
function firstAtLeast(sorted: readonly number[], least: number): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (sorted[middle]! < least) from = middle + 1;
    else to = middle;
  }
  return from;
}

function distribute({ ids, starts }: PlacedTokens, borders: readonly number[]): number[][] {
  const found: number[][] = Array.from({ length: borders.length - 1 }, () => []);
  let piece = 0;
  for (let index = 0; index < ids.length; index += 1) {
    while (piece < found.length - 1 && starts[index]! >= borders[piece + 1]!) piece += 1;
    found[piece]!.push(ids[index]!);
  }
  return found;
}

const isEqual = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length === b.length && Array.from(a).every((id, index) => id === b[index]);

/** The tokens of a text that follows other text. */
function placeBehind(encoder: PieceEncoder, text: string, { added }: Before): PlacedTokens {
  const { byNormalizer, byPreTokenizer } = encoder.prefixesTexts;
  if (added) {
    const at = whiteSpaceTakenBy(added, text);
    const position = added.normalized ? 'afterNormalizedToken' : 'afterToken';
    const tokens = at < text.length ? encoder.place([text.slice(at)], position)[0]! : none;
    return joined([{ tokens, at }]);
  }
  if (!byNormalizer && !byPreTokenizer) return encoder.place([text], 'start')[0]!;
  return placeAfterText(encoder, text);
}

/**
 * The tokens of a text that follows text other than an added token. The library adds its space
 * before each part between added tokens, but the very first part must not get one.
 */
function placeAfterText(encoder: PieceEncoder, text: string): PlacedTokens {
  const { place, prefixesTexts } = encoder;
  const placed = place([text], 'afterText')[0]!;
  const added = (isNormalized: boolean): number =>
    Array.from(placed.ids).findIndex((_, index) => {
      const token = addedAt(encoder, text, placed, index);
      return token !== null && (isNormalized || !token.normalized);
    });
  const any = added(true);
  if (any < 0) return placed;
  // A normalizer processes the text between the tokens that are not matched in normalized text.
  const plain = prefixesTexts.byNormalizer ? added(false) : any;
  const [from, to] = [any, plain < 0 ? placed.ids.length : plain].map(
    (token) => placed.starts[token] ?? text.length,
  ) as [number, number];
  return joined([
    { tokens: firstOf(placed, any), at: 0 },
    {
      tokens: from < to ? place([text.slice(from, to)], 'afterNormalizedToken')[0]! : none,
      at: from,
    },
    { tokens: to < text.length ? place([text.slice(to)], 'start')[0]! : none, at: to },
  ]);
}

const none: PlacedTokens = { ids: [], starts: [], ends: [] };

const firstOf = ({ ids, starts, ends }: PlacedTokens, count: number): PlacedTokens => ({
  ids: Array.from(ids).slice(0, count),
  starts: Array.from(starts).slice(0, count),
  ends: Array.from(ends).slice(0, count),
});

const joined = (parts: readonly { tokens: PlacedTokens; at: number }[]): PlacedTokens => {
  const moved = (name: 'starts' | 'ends'): number[] =>
    parts.flatMap(({ tokens, at }) => Array.from(tokens[name], (offset) => at + offset));
  return {
    ids: parts.flatMap(({ tokens }) => Array.from(tokens.ids)),
    starts: moved('starts'),
    ends: moved('ends'),
  };
};
