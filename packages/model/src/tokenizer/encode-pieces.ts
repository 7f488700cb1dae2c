/**
 * Token ids of a text in pieces, each token in the piece whose text it stands for.
 *
 * The text is encoded whole, as it would be without borders. Where a token would lie across a border, and where the
 * whole begins otherwise than the first piece by itself does, the text is cut at that border, and what follows is encoded as
 * it stands there: behind other text, so that the tokenizer puts no space before it.
 */

import type { TextPosition } from './encoding-protocol.ts';
import type { PlacedTokens } from './rust-tokenizer.ts';

/** What is asked of a tokenizer. */
export interface PieceEncoder {
  place(texts: readonly string[], position: TextPosition): PlacedTokens[];
  prefixesTexts: { byNormalizer: boolean; byPreTokenizer: boolean };
  /** Added tokens by id. */
  addedTokens: ReadonlyMap<number, AddedTokenForm>;
}

export interface AddedTokenForm {
  content: string;
  /** Matched in the normalized text. */
  normalized: boolean;
  /** Takes the white space before or after it. */
  strips: boolean;
}

/**
 * @param pieces well-formed texts
 * @returns the ids of each piece; of the first one exactly those that it has as a text of its own
 */
export const encodePieces = (encoder: PieceEncoder, pieces: readonly string[]): number[][] => {
  if (pieces.length === 0) return [];
  return encodeRun(encoder, pieces, 'start');
};

function encodeRun(
  encoder: PieceEncoder,
  pieces: readonly string[],
  position: 'start' | 'afterText',
): number[][] {
  const text = pieces.join('');
  if (position === 'start') {
    const [whole, first] = encoder.place(
      pieces.length === 1 ? [text] : [text, pieces[0]!],
      position,
    ) as [PlacedTokens, PlacedTokens];
    if (pieces.length === 1) return [Array.from(whole.ids)];
    return split(encoder, pieces, text, whole, first);
  }
  const whole = placeAfterText(encoder, text);
  if (pieces.length === 1) return [Array.from(whole.ids)];
  return split(encoder, pieces, text, whole, null);
}

/** @param first the tokens of the first piece by itself, where the others must follow these; else null */
function split(
  encoder: PieceEncoder,
  pieces: readonly string[],
  text: string,
  whole: PlacedTokens,
  first: PlacedTokens | null,
): number[][] {
  const borders = bordersOf(pieces);
  const own = withoutStripped(encoder, text, whole);
  const cuts = straddled(own, borders, text);
  const found = distribute(own, borders);
  if (first !== null && !isEqual(found[0]!, first.ids)) cuts.add(1);
  if (cuts.size === 0) return found;
  const starts = [0, ...[...cuts].sort((a, b) => a - b), pieces.length];
  return starts.slice(1).flatMap((end, at) => {
    const run = pieces.slice(starts[at], end);
    return encodeRun(encoder, run, at === 0 && first !== null ? 'start' : 'afterText');
  });
}

/** Where each piece begins, and the text's end. */
function bordersOf(pieces: readonly string[]): number[] {
  let at = 0;
  return [0, ...pieces.map((piece) => (at += piece.length))];
}

/** An added token that takes the white space beside it is where its own text is. */
function withoutStripped(encoder: PieceEncoder, text: string, placed: PlacedTokens): PlacedTokens {
  const { addedTokens } = encoder;
  const starts = Array.from(placed.starts);
  const ends = Array.from(placed.ends);
  for (let index = 0; index < placed.ids.length; index += 1) {
    const added = addedTokens.get(placed.ids[index]!);
    if (!added?.strips) continue;
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
 * The pieces before which the text must be cut: a token lies across their border, or what they begin with is no token's
 * (a normalizer has joined it to what is before, as an accent to its letter).
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
    if (border < text.length && !covered.has(border) && !/\s/.test(text[border]!)) cuts.add(at + 1);
  });
  return cuts;
}

/** Where the first of `sorted` stands that is not below `least`. */
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

/**
 * The tokens of a text behind other text. The library puts its space before each part between added tokens: only before
 * the very first part there is to be none.
 */
function placeAfterText(encoder: PieceEncoder, text: string): PlacedTokens {
  const { prefixesTexts, addedTokens } = encoder;
  const { byNormalizer, byPreTokenizer } = prefixesTexts;
  if (!byNormalizer && !byPreTokenizer) return encoder.place([text], 'start')[0]!;
  const placed = encoder.place([text], 'afterText')[0]!;
  const added = (isNormalized: boolean): number =>
    Array.from(placed.ids).findIndex((id) => {
      const token = addedTokens.get(id);
      return token !== undefined && (isNormalized || !token.normalized);
    });
  const any = added(true);
  if (any < 0) return placed;
  // A normalizer sees the text between the tokens that are not matched in normalized text.
  const plain = byNormalizer ? added(false) : any;
  const [from, to] = [any, plain < 0 ? placed.ids.length : plain].map(
    (token) => placed.starts[token] ?? text.length,
  ) as [number, number];
  return joined([
    { tokens: firstOf(placed, any), at: 0 },
    {
      tokens: from < to ? encoder.place([text.slice(from, to)], 'afterToken')[0]! : none,
      at: from,
    },
    { tokens: to < text.length ? encoder.place([text.slice(to)], 'start')[0]! : none, at: to },
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
