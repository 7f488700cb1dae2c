import { DataError } from '@keel/align';
import {
  leftOutOfPrompt,
  openOneOf,
  openRows,
  placeName,
  type Row,
  RowFaults,
  type RowOf,
  rowMarkFault,
  type SourceOf,
  trainingFault,
} from '@keel/align/data';
import {
  defaultScoring,
  tokeniseExample,
  tokeniseJudged,
  tokenisePrompt,
  tokeniseRanking,
} from '@keel/align/internal';
import { ChatTemplateError, type Tokenizer } from '@keel/model';
import { scoringFault } from '../scoring/open-answers.ts';
import { tokeniseAnswers } from '../scoring/tokenise-answers.ts';
import type { ShownTokens } from './token-display.ts';
import { tokenPieces } from './token-pieces.ts';

/**
 * The kinds of rows in each view. All verbs that train on answers make the same tokens of a row.
 */
const views = {
  sft: ['supervised'],
  dpo: ['preference', 'ranking'],
  kto: ['unpaired'],
  reward: ['judged'],
  score: ['preference', 'completion'],
  prompt: ['prompt'],
} as const;

export interface RowTokensOptions {
  data: string[];
  onBadRow: 'fail' | 'skip';
  columns?: readonly string[] | null;
  wrapChat?: boolean;
  /** Number of rows, from the first. */
  rows: number;
  maxLength: number | null;
  /** The verb whose view is shown; null for the first kind that the rows match. */
  for: string | null;
}

interface ScoredTokens {
  tokens: number[];
  scored: boolean[];
}

type ShownKind = (typeof views)[keyof typeof views][number];
type ShownRow = RowOf[ShownKind];

/**
 * The tokens of a data set's first good rows.
 * @param notice receives messages about skipped bad rows
 * @throws DataError for a bad row, unless bad rows are skipped
 */
export async function* rowTokens(
  tokenizer: Tokenizer,
  options: RowTokensOptions,
  notice: (text: string) => void,
): AsyncGenerator<ShownTokens> {
  await using source = await openShown(options);
  if (source.badRowCount > 0) {
    notice(`${source.badRowCount} bad rows are skipped. First: ${source.badRows[0]!.message}`);
  }
  const faults = new RowFaults(options.onBadRow);
  for (let row = 0; row < source.length && row - faults.count < options.rows; row++) {
    const place = source.place(row);
    let shown: ShownTokens;
    try {
      const name = { row, place: placeName(place) };
      shown = tokensOfRow(tokenizer, source.kind, await source.read(row), name, options.maxLength);
    } catch (error) {
      if (error instanceof DataError) throw error;
      const fault = new DataError({ ...place, found: (error as Error).message }, { cause: error });
      if (!(error instanceof ChatTemplateError)) throw fault;
      faults.leaveOut(fault);
      continue;
    }
    yield shown;
  }
  const left = faults.notice();
  if (left !== null) notice(left);
}

async function openShown(options: RowTokensOptions): Promise<SourceOf<ShownKind>> {
  if (options.for !== null) {
    const own = options.for in views ? (options.for as keyof typeof views) : 'prompt';
    return openOneOf<ShownKind>({ ...options, refuse: refusing(options.for, own) }, views[own]);
  }
  return openAny(options);
}

/** What the verb refuses in valid rows. Verbs that sample answers pass columns to the reward. */
const refusing = (verb: string, view: keyof typeof views): ((row: Row) => Fault) => {
  if (view === 'score') return scoringFault;
  if (view !== 'prompt') return trainingFault;
  if (verb === 'generate') return leftOutOfPrompt;
  return rowMarkFault;
};

type Fault = ReturnType<typeof scoringFault>;

const answered = ['preference', 'ranking', 'supervised'] as const;

/** Opens rows with answers; if the rows have no answer at all, opens them as prompts. */
async function openAny(options: RowTokensOptions): Promise<SourceOf<ShownKind>> {
  try {
    return await openOneOf<ShownKind>(options, answered);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const { data, onBadRow, columns, wrapChat } = options;
    const refuse = ({ extra }: RowOf['prompt']) =>
      answerFields.some((name) => name in extra)
        ? { field: 'prompt', expected: 'a prompt alone', found: 'a row with an answer', advice: '' }
        : null;
    return openRows(data, { kind: 'prompt', onBadRow, columns, wrapChat, refuse }).catch(() => {
      throw error;
    });
  }
}

const answerFields = ['chosen', 'rejected', 'completion', 'completions', 'messages', 'text'];

function tokensOfRow(
  tokenizer: Tokenizer,
  kind: ShownKind,
  row: ShownRow,
  name: { row: number; place: string },
  maxLength: number | null,
): ShownTokens {
  const heading = `row ${name.row} (${name.place})`;
  const found = partsOf(tokenizer, kind, row, maxLength);
  if (found === null) {
    const left = `${heading}: skipped, it does not fit within --max-length ${maxLength}`;
    return { heading: left, name: { ...name, too_long: true }, parts: [], truncated: false };
  }
  const total = found.parts.reduce((sum, { pieces }) => sum + pieces.length, 0);
  const probability = 'label_probability' in row ? row.label_probability : undefined;
  const known = probability !== undefined && { label_probability: probability };
  return {
    heading: `${heading}: ${total} tokens in the packed batch${known ? `, label_probability ${probability}` : ''}`,
    name: { ...name, ...known },
    ...found,
  };
}

type Shown = Pick<ShownTokens, 'parts' | 'truncated' | 'lost'>;

/** A row's parts; null if no scored token fits. */
function partsOf(
  tokenizer: Tokenizer,
  kind: ShownKind,
  row: ShownRow,
  maxLength: number | null,
): Shown | null {
  const part = (name: string, { tokens, scored }: ScoredTokens) => ({
    name,
    pieces: tokenPieces(tokenizer, tokens, scored),
  });
  const prompted = (tokens: number[]) => part('prompt', { tokens, scored: [] });
  if ('text' in row || 'messages' in row) {
    const example = tokeniseExample(row, tokenizer, { ...defaultScoring, maxLength });
    if (example === null) return null;
    const name = 'text' in row ? 'text' : 'messages';
    // Nothing predicts the first token.
    const scored = example.scored.map((one, at) => one && at > 0);
    return { ...example, parts: [part(name, { ...example, scored })] };
  }
  if (kind === 'supervised') {
    return completionParts(tokenizer, row as RowOf['completion'], maxLength, part);
  }
  if (kind === 'judged') return judgedParts(tokenizer, row as RowOf['judged'], maxLength, part);
  if ('completions' in row) {
    const ranking = tokeniseRanking(row as RowOf['ranking'], tokenizer, { maxLength });
    if (ranking === null) return null;
    const answers = ranking.answers.map((answer, at) =>
      part(`answer ${at + 1} (rank ${ranking.ranks[at]})`, answer),
    );
    return { ...ranking, parts: [prompted(ranking.prompt), ...answers] };
  }
  if (!('chosen' in row || 'completion' in row)) {
    const found = tokenisePrompt(row, tokenizer, { maxPromptLength: maxLength });
    if (found === null) return null;
    const { tokens, lost } = found;
    return { parts: [prompted(tokens)], truncated: false, ...(lost && { lost }) };
  }
  const found = tokeniseAnswers(row, tokenizer, maxLength);
  if (found === null) return null;
  const answers = found.answers.map(({ name, answer }) => part(name, answer));
  return { ...found, parts: [prompted(found.prompt), ...answers] };
}

/** A prompt and its completion as keel sft trains on them; null if no scored token fits. */
function completionParts(
  tokenizer: Tokenizer,
  row: RowOf['completion'],
  maxLength: number | null,
  part: (name: string, tokens: ScoredTokens) => Shown['parts'][number],
): Shown | null {
  const example = tokeniseExample(row, tokenizer, { ...defaultScoring, maxLength });
  const asked = tokeniseAnswers(row, tokenizer, null)?.prompt.length;
  if (example === null || asked === undefined) return null;
  const { tokens, scored } = example;
  const answer = { tokens: tokens.slice(asked), scored: scored.slice(asked) };
  const prompt = { tokens: tokens.slice(0, asked), scored: [] };
  return { ...example, parts: [part('prompt', prompt), part('completion', answer)] };
}

/** The row as a reward model reads it: the tokens at which a score is read are marked. */
function judgedParts(
  tokenizer: Tokenizer,
  row: RowOf['judged'],
  maxLength: number | null,
  part: (name: string, tokens: ScoredTokens) => Shown['parts'][number],
): Shown | null {
  const judged = tokeniseJudged(row, tokenizer, {
    ...{ readAt: 'last', padTokenId: tokenizer.padTokenId, stepSeparator: '\n' },
    ...{ maxLength, margin: 'none', marginScale: 1 },
  });
  if (judged === null) return null;
  const names = judged.verdict.kind === 'pair' ? ['chosen', 'rejected'] : null;
  const answers = judged.answers.map(({ tokens, reads }, at) =>
    part(names?.[at] ?? `answer ${at + 1}`, {
      tokens,
      scored: tokens.map((_, place) => reads.includes(place)),
    }),
  );
  const prompt = part('prompt', { tokens: judged.prompt, scored: [] });
  return { ...judged, parts: [prompt, ...answers] };
}
