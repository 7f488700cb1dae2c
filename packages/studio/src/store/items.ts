// What goes into the store and comes out of it.
import type { Content } from '@keel/align/data';
import type { Choice, TaskKind } from './schema.ts';

export interface Answer {
  content: Content;
  /** Which model wrote it, with which adapter and how. */
  model?: string | null;
  adapter?: string | null;
  sampling?: Record<string, unknown> | null;
}

/** A verdict on the answers of a task, by their positions. */
export interface Verdict {
  /** null: the person skipped the task. */
  choice: Choice | null;
  /** Of a ranking: the rank of each answer, 1 for the best; equal ranks are ties. */
  ranks?: readonly number[] | null;
  /** How much better the preferred answer is, from 0. */
  strength?: number | null;
  /** P(the left answer is better), of a soft label. */
  probability?: number | null;
  comment?: string | null;
  flagged?: boolean;
  /** Time that the person took. */
  seconds?: number | null;
  /** ISO 8601; default: now. */
  at?: string | null;
}

/** A verdict with the name of the person who gave it. */
export interface NamedVerdict extends Verdict {
  person: string;
}

/** A task as a file has it. */
export interface TaskInput {
  kind: TaskKind;
  prompt: Content;
  answers: readonly Answer[];
  /** Other columns of the row. */
  columns?: Record<string, unknown>;
  /** Whether people saw the answers in this order (default: their order is not known). */
  shown?: boolean;
  annotations: readonly NamedVerdict[];
  /** The known right verdict. */
  gold?: Pick<Verdict, 'choice' | 'ranks'> | null;
}

/** A task as the store has it. */
export interface StoredTask {
  id: string;
  kind: TaskKind;
  prompt: Content;
  /** In the order in which they are shown. */
  answers: readonly Required<Answer>[];
  columns: Record<string, unknown>;
  overlap: number;
  gold: Pick<Verdict, 'choice' | 'ranks'> | null;
  /** The newest version of each person's verdict, skipped ones too. */
  annotations: readonly StoredVerdict[];
}

export interface StoredVerdict extends Required<NamedVerdict> {
  version: number;
  /** Whether the person saw the answers in the task's order. */
  shown: boolean;
}

/**
 * @param answers number of answers
 * @returns what is wrong with a verdict on a task of this kind; null if nothing is
 */
export function verdictFault(
  kind: TaskKind,
  answers: number,
  { choice, ranks, strength, probability, seconds }: Verdict,
): string | null {
  const known: Record<TaskKind, readonly Choice[]> = {
    pair: ['left', 'right', 'tie', 'both_bad'],
    ranking: ['ranked'],
    thumb: ['up', 'down'],
  };
  if (choice !== null && !known[kind].includes(choice))
    return `a verdict on a ${kind} is ${known[kind].join(', ')}, not ${choice}`;
  if (choice === 'ranked') {
    if (ranks?.length !== answers)
      return `${answers} answers need ${answers} ranks, found ${ranks?.length ?? 0}`;
    if (!ranks.every((rank) => Number.isInteger(rank) && rank >= 1))
      return `a rank is a whole number from 1, found ${ranks.join(', ')}`;
  }
  if (strength != null && !(strength >= 0 && Number.isFinite(strength)))
    return `a strength is a number from 0, found ${strength}`;
  if (probability != null && !(probability >= 0 && probability <= 1))
    return `a probability is from 0 to 1, found ${probability}`;
  if (seconds != null && !(seconds >= 0 && Number.isFinite(seconds)))
    return `a time is a number of seconds from 0, found ${seconds}`;
  return null;
}

/** Ranks, so that equal ones follow each other without gaps: 1, 1, 2. */
export function denseRanks(values: readonly number[]): number[] {
  const order = [...new Set(values)].sort((a, b) => a - b);
  return values.map((value) => order.indexOf(value) + 1);
}
