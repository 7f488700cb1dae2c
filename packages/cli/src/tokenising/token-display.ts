import { type Styled, say, sayJson, styled } from '../terminal.ts';
import type { TokenPart, TokenPiece } from './token-pieces.ts';

/** A row (or a text) in tokens. */
export interface ShownTokens {
  /** Where it comes from, for people. */
  heading: string;
  /** The same for machines. */
  name: Record<string, unknown>;
  parts: TokenPart[];
  /** Answers were cut at the maximum length. */
  truncated: boolean;
  /** Fields of the assistant's messages of which the chat template leaves text out. */
  lost?: string[];
  /** Ids for which the model has no embedding. */
  unknown?: number[];
}

/** The ids of what is shown that are beyond the model's embedding. */
export function unknownIds({ parts }: Pick<ShownTokens, 'parts'>, rows: number) {
  const ids = parts.flatMap(({ pieces }) => pieces.map(({ id }) => id).filter((id) => id >= rows));
  return ids.length === 0 ? {} : { unknown: [...new Set(ids)] };
}

/** One JSON object. */
export function printJsonTokens({ name, parts, truncated, lost, unknown }: ShownTokens): void {
  const byPart = Object.fromEntries(
    parts.map(({ name: part, pieces }) => [
      part,
      {
        tokens: pieces.map(({ id }) => id),
        texts: pieces.map(({ text }) => text),
        scored: pieces.map(({ scored }) => scored),
      },
    ]),
  );
  sayJson({ ...name, ...byPart, truncated, ...(lost && { lost }), ...(unknown && { unknown }) });
}

/** Parts one under the other; scored tokens in colour on a terminal, with a star elsewhere. */
export function printTokens({ heading, parts, truncated, lost, unknown }: ShownTokens): void {
  const { isTTY = false, columns = 80 } = process.stdout;
  const colours = isTTY && (process.stdout.hasColors?.() ?? false);
  say(heading + (truncated ? ', cut at --max-length' : ''));
  if (lost) {
    say(
      `  The chat template leaves out some of what the assistant says (${lost.join(', ')}): it is not trained on.`,
    );
  }
  if (unknown) {
    say(
      `  The model has no embedding for the ids ${unknown.join(', ')}, so other verbs refuse this row.`,
    );
  }
  for (const { name, pieces } of parts) {
    const scored = pieces.filter((piece) => piece.scored).length;
    const tokens = pieces.length === 1 ? 'token' : 'tokens';
    say(`\n  ${name}: ${pieces.length} ${tokens}, ${scored} scored`);
    for (const line of wrap(pieces, columns - 4)) {
      say('    ', ...line.flatMap((piece, at) => [at > 0 ? '  ' : '', show(piece, colours)]));
    }
  }
  say('');
}

/** The key to what `printTokens` shows. */
export function printLegend(): void {
  say('Each token: its text and its id. Tokens with a star * are scored.\n');
}

function wrap(pieces: readonly TokenPiece[], width: number): TokenPiece[][] {
  const lines: TokenPiece[][] = [];
  let room = 0;
  for (const piece of pieces) {
    const length = plain(piece).length + 2;
    if (room < length) {
      lines.push([]);
      room = width;
    }
    lines.at(-1)!.push(piece);
    room -= length;
  }
  return lines;
}

const plain = ({ id, text, scored }: TokenPiece): string =>
  `${scored ? '*' : ''}${JSON.stringify(text)} ${id}`;

function show(piece: TokenPiece, colours: boolean): string | Styled {
  return colours ? styled(piece.scored ? 'green' : 'dim', plain(piece)) : plain(piece);
}
