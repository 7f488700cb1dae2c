import { placeName } from '@keel/align';
import type { Tokenizer } from '@keel/model';
import { type AnswerSource, openAnswers } from '../scoring/open-answers.ts';
import { tokeniseAnswers } from '../scoring/tokenise-answers.ts';
import type { ShownTokens } from './token-display.ts';
import { tokenPieces } from './token-pieces.ts';

export interface RowTokensOptions {
  data: string[];
  onBadRow: 'fail' | 'skip';
  /** Rows from the first on. */
  rows: number;
  maxLength: number | null;
}

/** What the first rows of a data set become. */
export async function* rowTokens(
  tokenizer: Tokenizer,
  options: RowTokensOptions,
): AsyncGenerator<ShownTokens> {
  await using source = await openAnswers(options);
  for (let row = 0; row < Math.min(options.rows, source.length); row++) {
    yield await tokensOfRow(tokenizer, source, row, options.maxLength);
  }
}

async function tokensOfRow(
  tokenizer: Tokenizer,
  source: AnswerSource,
  row: number,
  maxLength: number | null,
): Promise<ShownTokens> {
  const found = tokeniseAnswers(await source.read(row), tokenizer, maxLength);
  const place = placeName(source.place(row));
  const heading = `row ${row} (${place})`;
  if (found === null) {
    const name = { row, place, too_long: true };
    const left = `${heading}: left out, its prompt alone fills --max-length ${maxLength}`;
    return { heading: left, name, parts: [], truncated: false };
  }
  const prompt = { name: 'prompt', pieces: tokenPieces(tokenizer, found.prompt, []) };
  const answers = found.answers.map(({ name, answer }) => ({
    name,
    pieces: tokenPieces(tokenizer, answer.tokens, answer.scored),
  }));
  const parts = [prompt, ...answers];
  const total = parts.reduce((sum, { pieces }) => sum + pieces.length, 0);
  return {
    heading: `${heading}: ${total} tokens in the packed batch`,
    name: { row, place },
    parts,
    truncated: found.truncated,
  };
}
