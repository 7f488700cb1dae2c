// Rows with real answers, which attacks on a reward are compared with.
import { DataError } from '@keel/align';
import {
  type Content,
  openOneOf,
  otherAnswerFault,
  placeName,
  type Rendering,
  type RowOf,
  type SourceOf,
} from '@keel/align/data';
import { plainNumbers } from '@keel/model/exact-json';
import { assistantTurn } from '../../judging/answers/read-answers.ts';

const kinds = ['preference', 'ranking', 'samples', 'completion', 'prompt'] as const;
type Kind = (typeof kinds)[number];

export interface RealAnswer {
  /** Where its row is, for messages. */
  place: string;
  prompt: Content;
  /** The best answer of the row. */
  answer: Content;
  rendering?: Rendering;
  extra: Readonly<Record<string, unknown>>;
}

export interface RealAnswerOptions {
  data: readonly string[];
  onBadRow: 'fail' | 'skip';
  columns: readonly string[] | null;
  wrapChat: boolean;
  /** Maximum number of rows. */
  limit: number;
  onSkipped?(count: number): void;
}

/** Column with the right answer, of rows that only have a prompt. */
const ANSWER = 'answer';

/**
 * The best answer of each row: the chosen one, the first rank, the first of several samples, the
 * completion, or the column `answer` of a row that only has a prompt.
 * @throws DataError for rows without an answer
 */
export async function readRealAnswers({
  limit,
  onSkipped,
  ...options
}: RealAnswerOptions): Promise<RealAnswer[]> {
  await using source: SourceOf<Kind> = await openOneOf(
    { ...options, refuse: otherAnswerFault },
    kinds,
  );
  if (source.badRowCount > 0) onSkipped?.(source.badRowCount);
  const count = Math.min(limit, source.length);
  const rows = await source.readMany(Array.from({ length: count }, (_, at) => at));
  return rows.map((row, at) => {
    const { prompt, rendering, extra } = row;
    const answer = bestAnswer(source.kind, row);
    if (answer === null) {
      throw new DataError({
        ...source.place(at),
        expected: `an answer: "chosen", "completions", "completion", or "${ANSWER}" with the right one`,
        found: 'a prompt alone',
        advice: 'Add answers to the rows, or pass other rows with --data',
      });
    }
    const place = placeName(source.place(at));
    return { place, prompt, answer, extra, ...(rendering && { rendering }) };
  });
}

function bestAnswer(kind: Kind, row: RowOf[Kind]): Content | null {
  if (kind === 'preference') return (row as RowOf['preference']).chosen;
  if (kind === 'completion') return (row as RowOf['completion']).completion;
  if (kind === 'prompt') {
    const value = plainNumbers(row.extra[ANSWER]);
    if (typeof value !== 'string' && typeof value !== 'number') return null;
    return typeof row.prompt === 'string' ? String(value) : assistantTurn(String(value));
  }
  const { completions, ranks } = row as RowOf['samples'] & { ranks?: readonly number[] };
  return completions[ranks === undefined ? 0 : ranks.indexOf(Math.min(...ranks))] ?? null;
}
