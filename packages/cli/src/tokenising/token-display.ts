import { lostParts } from '@keel/align/internal';
import { type Styled, say, sayJson, styled } from '../terminal.ts';
import type { TokenPart, TokenPiece } from './token-pieces.ts';

/** A row (or a text) in tokens. */
export interface ShownTokens {
  /** The row's position, for people. */
  heading: string;
  /** The same, for JSON. */
  name: Record<string, unknown>;
  parts: TokenPart[];
  /** Answers were cut at the maximum length. */
  truncated: boolean;
  /**
   * Fields of the assistant's messages from which the chat template drops text, and messages of
   * others, such as "system message".
   */
  lost?: string[];
  /** Ids for which the model has no embedding. */
  unknown?: number[];
}

/** The shown ids that are not in the model's embedding. */
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

/** Prints parts one below the other; scored tokens have a star, and a colour on a terminal. */
export function printTokens({ heading, parts, truncated, lost, unknown }: ShownTokens): void {
  const { isTTY = false, columns = 80 } = process.stdout;
  const colours = isTTY && (process.stdout.hasColors?.() ?? false);
  say(heading + (truncated ? ', cut at --max-length' : ''));
  const { fields, earlier, roles, opened } = lostParts(lost ?? []);
  if (roles.length > 0) {
    say(`  The chat template drops whole messages (${roles.join(', ')}).`);
  }
  if (opened.length > 0) {
    say(
      `  When sampling, the prompt continues with ${opened.join(', ')}. Training cuts that off, because an answer has reasoning of its own.`,
    );
  }
  if (earlier.length > 0) {
    say(
      `  The chat template drops some of what the assistant said before its answer (${earlier.join(', ')}).`,
    );
  }
  if (fields.length > 0) {
    say(
      `  The chat template drops some of the assistant's text (${fields.join(', ')}), which is not trained on.`,
    );
  }
  if (unknown) {
    say(
      `  The model has no embedding for the ids ${unknown.join(', ')}, so other verbs refuse them.`,
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

/** Prints a key to the output of `printTokens`. */
export function printLegend(): void {
  say('Each token is shown as its text and its id. A star (*) marks scored tokens.\n');
}

function wrap(pieces: readonly TokenPiece[], width: number): TokenPiece[][] {
  const lines: TokenPiece[][] = [];
  let free = 0;
  for (const piece of pieces) {
    const length = plain(piece).length + 2;
    if (free < length) {
      lines.push([]);
      free = width;
    }
    lines.at(-1)!.push(piece);
    free -= length;
  }
  return lines;
}

const plain = ({ id, text, scored }: TokenPiece): string =>
  `${scored ? '*' : ''}${JSON.stringify(text)} ${id}`;

function show(piece: TokenPiece, colours: boolean): string | Styled {
  return colours ? styled(piece.scored ? 'green' : 'dim', plain(piece)) : plain(piece);
}
