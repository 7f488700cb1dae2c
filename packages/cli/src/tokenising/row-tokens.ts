import {
  DataError,
  defaultScoring,
  openOneOf,
  openRows,
  placeName,
  type RowOf,
  type SourceOf,
  tokeniseExample,
  tokenisePrompt,
  tokeniseRanking,
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
  await using source = await openShown(options);
  for (let row = 0; row < Math.min(options.rows, source.length); row++) {
    const place = placeName(source.place(row));
    yield tokensOfRow(tokenizer, await source.read(row), { row, place }, options.maxLength);
  }
}

const answered = ['preference', 'ranking', 'supervised'] as const;
type ShownKind = (typeof answered)[number] | 'prompt';
type ShownRow = RowOf[ShownKind];

/** Rows with answers; where they are none of these and have no answer at all, prompts. */
async function openShown(options: RowTokensOptions): Promise<SourceOf<ShownKind>> {
  try {
    return await openOneOf(options, answered);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const { data, onBadRow } = options;
    const refuse = ({ extra }: RowOf['prompt']) =>
      answerFields.some((name) => name in extra)
        ? { field: 'prompt', expected: 'a prompt alone', found: 'a row with an answer', advice: '' }
        : null;
    return openRows(data, { kind: 'prompt', onBadRow, refuse }).catch(() => {
      throw error;
    });
  }
}

const answerFields = ['chosen', 'rejected', 'completion', 'completions', 'messages', 'text'];

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
  if ('completions' in row) {
    const ranking = tokeniseRanking(row, tokenizer, { maxLength });
    if (ranking === null) return null;
    const prompt = part('prompt', { tokens: ranking.prompt, scored: [] });
    const answers = ranking.answers.map((answer, at) =>
      part(`answer ${at + 1} (rank ${ranking.ranks[at]})`, answer),
    );
    return { parts: [prompt, ...answers], truncated: ranking.truncated };
  }
  if (!('chosen' in row || 'completion' in row)) {
    const found = tokenisePrompt(row, tokenizer, { maxPromptLength: maxLength });
    if (found === null) return null;
    return { parts: [part('prompt', { tokens: found.tokens, scored: [] })], truncated: false };
  }
  const found = tokeniseAnswers(row, tokenizer, maxLength);
  if (found === null) return null;
  const prompt = part('prompt', { tokens: found.prompt, scored: [] });
  const answers = found.answers.map(({ name, answer }) => part(name, answer));
  return { parts: [prompt, ...answers], truncated: found.truncated };
}
