import {
  defaultScoring,
  openEither,
  type PreferenceRow,
  placeName,
  type SupervisedRow,
  tokeniseExample,
} from '@keel/align';
import type { Tokenizer } from '@keel/model';
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

interface ScoredTokens {
  tokens: number[];
  scored: boolean[];
}

/** What the first rows of a data set become. */
export async function* rowTokens(
  tokenizer: Tokenizer,
  options: RowTokensOptions,
): AsyncGenerator<ShownTokens> {
  await using source = await openEither(options, 'preference', 'supervised');
  for (let row = 0; row < Math.min(options.rows, source.length); row++) {
    const place = placeName(source.place(row));
    yield tokensOfRow(tokenizer, await source.read(row), { row, place }, options.maxLength);
  }
}

type ShownRow = PreferenceRow | SupervisedRow;

function tokensOfRow(
  tokenizer: Tokenizer,
  row: ShownRow,
  name: { row: number; place: string },
  maxLength: number | null,
): ShownTokens {
  const heading = `row ${name.row} (${name.place})`;
  const found = partsOf(tokenizer, row, maxLength);
  if (found === null) {
    const left = `${heading}: left out, its prompt alone fills --max-length ${maxLength}`;
    return { heading: left, name: { ...name, too_long: true }, parts: [], truncated: false };
  }
  const total = found.parts.reduce((sum, { pieces }) => sum + pieces.length, 0);
  return { heading: `${heading}: ${total} tokens in the packed batch`, name, ...found };
}

/** A row's parts; null where nothing that is scored fits. */
function partsOf(
  tokenizer: Tokenizer,
  row: ShownRow,
  maxLength: number | null,
): Pick<ShownTokens, 'parts' | 'truncated'> | null {
  const part = (name: string, { tokens, scored }: ScoredTokens) => ({
    name,
    pieces: tokenPieces(tokenizer, tokens, scored),
  });
  if ('text' in row || 'messages' in row) {
    const example = tokeniseExample(row, tokenizer, { ...defaultScoring, maxLength });
    if (example === null) return null;
    const name = 'text' in row ? 'text' : 'messages';
    // Nothing predicts the first token.
    const scored = example.scored.map((one, at) => one && at > 0);
    return { parts: [part(name, { ...example, scored })], truncated: example.truncated };
  }
  const found = tokeniseAnswers(row, tokenizer, maxLength);
  if (found === null) return null;
  const prompt = part('prompt', { tokens: found.prompt, scored: [] });
  const answers = found.answers.map(({ name, answer }) => part(name, answer));
  return { parts: [prompt, ...answers], truncated: found.truncated };
}
