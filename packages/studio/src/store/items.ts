// What goes into the store and comes out of it.
import type { Content } from '@keel/align/data';
import type { Choice, ClaimReason, TaskKind } from './schema.ts';
import type { ProjectSettings } from './settings.ts';

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
  /** Of each aspect: a rating of each answer; null for an answer that was not rated. */
  ratings?: Readonly<Record<string, readonly (number | null)[]>> | null;
  /** A better answer that the person wrote. */
  edit?: Edit | null;
  comment?: string | null;
  flagged?: boolean;
  /** Time that the person took. */
  seconds?: number | null;
  /** ISO 8601; default: now. */
  at?: string | null;
}

/** A better answer that a person wrote. */
export interface Edit {
  /** Which answer it started from; null: none. */
  answer: number | null;
  text: string;
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
  /** A verdict that settles the task, besides the annotations. */
  adjudication?: NamedVerdict | null;
  /** The known right verdict. */
  gold?: Pick<Verdict, 'choice' | 'ranks'> | null;
  /** Larger ones come first where the project's order is that of priorities; null: as it was. */
  priority?: { value: number; source: string } | null;
}

/** A task as the store has it. */
export interface StoredTask {
  id: string;
  kind: TaskKind;
  prompt: Content;
  /** In the order to which verdicts refer. Each person sees an order of their own. */
  answers: readonly Required<Answer>[];
  columns: Record<string, unknown>;
  overlap: number;
  gold: Pick<Verdict, 'choice' | 'ranks'> | null;
  /** The newest version of each person's verdict, skipped ones too. */
  annotations: readonly StoredVerdict[];
  /** A verdict that outranks those of the annotations. */
  adjudication: Adjudication | null;
}

/** A verdict that settles a task, with who gave it. */
export interface Adjudication
  extends Required<
    Pick<NamedVerdict, 'person' | 'ranks' | 'strength' | 'ratings' | 'edit' | 'comment'>
  > {
  choice: Choice;
  version: number;
  at: string;
}

export interface StoredVerdict extends Required<NamedVerdict> {
  version: number;
  /** Positions of the answers as the person saw them, the first on the left; null: not known. */
  order: readonly number[] | null;
  /**
   * Whether the person had been shown a suggestion on this task; null: not known, of verdicts from
   * before this was recorded.
   */
  afterSuggestion: boolean | null;
}

/** A task as one person sees it: answers in that person's order, and not whose they are. */
export interface TaskView {
  id: string;
  project: string;
  kind: TaskKind;
  prompt: Content;
  /** Verdicts of this person refer to this order. */
  answers: readonly Content[];
  /** The newest verdict that the person gave, by this order; null: none yet. */
  draft: StoredVerdict | null;
  /** Whether the person holds the task, or has finished it. */
  state: 'held' | 'done' | 'skipped';
  /** When the task was given to this person (ISO 8601). */
  since: string;
}

/** How much is done, in tasks. Tasks whose right verdict is known count only for the person. */
export interface Progress {
  /** Tasks that this person has a verdict on. */
  mine: number;
  /** Tasks that this person skipped. */
  skipped: number;
  /** Tasks that are left for this person, as long as nobody else takes them. */
  left: number;
  /** Verdicts of all people that count towards the overlap, and how many are needed. */
  done: number;
  needed: number;
}

/** How long this person takes for a verdict. */
export interface Pace {
  /** Median of the newest 50, in seconds; null: no time is recorded. */
  seconds: number | null;
}

/** What a person does next. */
export interface NextTask {
  /** null: nothing is left for this person. */
  task: TaskView | null;
  progress: Progress;
  pace: Pace;
}

/** One of a person's verdicts, in a list of the newest. */
export interface HistoryLine {
  task: string;
  /** The beginning of the prompt's text. */
  prompt: string;
  verdict: StoredVerdict;
}

/** Who has a task, and why it was given to that person. */
export interface ListedClaim {
  person: string;
  state: 'held' | 'done' | 'skipped';
  at: string;
  /** null: the verdict was imported. */
  reason: ClaimReason | null;
  /** The task's priority at that time, and who set it, if the reason is the priority. */
  priority: number | null;
  prioritySource: string | null;
}

/** Choices for each kind of task. */
const choicesOf: Readonly<Record<TaskKind, readonly Choice[]>> = {
  pair: ['left', 'right', 'tie', 'both_bad'],
  ranking: ['ranked'],
  thumb: ['up', 'down'],
};

/**
 * @param answers number of answers
 * @param settings what the project asks of people; undefined for verdicts of files
 * @returns what is wrong with a verdict on a task of this kind; null if nothing is
 */
export function verdictFault(
  kind: TaskKind,
  answers: number,
  verdict: Verdict,
  settings?: ProjectSettings,
): string | null {
  const { choice, ranks, strength, probability, seconds, ratings, edit } = verdict;
  const known = choicesOf[kind];
  if (choice !== null && !known.includes(choice))
    return `a verdict on a ${kind} is ${known.join(', ')}, not ${choice}`;
  if (choice === 'ranked') {
    if (ranks?.length !== answers)
      return `${answers} answers need ${answers} ranks, found ${ranks?.length ?? 0}`;
    if (!ranks.every((rank) => Number.isInteger(rank) && rank >= 1))
      return `a rank is a whole number from 1, found ${ranks.join(', ')}`;
  } else if (ranks != null) return `only a ranking has ranks, found them on a ${kind}`;
  if (strength != null && !(strength >= 0 && Number.isFinite(strength)))
    return `a strength is a number from 0, found ${strength}`;
  if (probability != null && !(probability >= 0 && probability <= 1))
    return `a probability is from 0 to 1, found ${probability}`;
  if (seconds != null && !(seconds >= 0 && Number.isFinite(seconds)))
    return `a time is a number of seconds from 0, found ${seconds}`;
  for (const [aspect, list] of Object.entries(ratings ?? {})) {
    if (list.length !== answers)
      return `${answers} answers need ${answers} ratings of ${aspect}, found ${list.length}`;
    const wrong = list.find((one) => one !== null && !Number.isFinite(one));
    if (wrong !== undefined) return `a rating of ${aspect} is a number, found ${wrong}`;
  }
  if (edit != null) {
    if (edit.text.trim() === '') return 'the better answer is empty. Write one, or leave it out';
    const { answer } = edit;
    if (answer !== null && !(Number.isInteger(answer) && answer >= 0 && answer < answers))
      return `the better answer starts from answer 0 to ${answers - 1} or from none, found ${answer}`;
  }
  return settings === undefined ? null : unasked(verdict, settings);
}

/** What a verdict says that the project does not ask; null if there is nothing. */
function unasked(
  { choice, ranks, strength, ratings, edit }: Verdict,
  settings: ProjectSettings,
): string | null {
  const change = 'Change the settings of the project, or give another verdict';
  if (choice === 'tie' && !settings.tie) return `this project does not offer ties. ${change}`;
  if (choice === 'both_bad' && !settings.bothBad)
    return `this project does not offer "both bad". ${change}`;
  if (ranks != null && settings.ranking === 'best') {
    if (ranks.filter((rank) => rank === 1).length !== 1 || ranks.some((rank) => rank > 2))
      return `this project asks only for the best answer: one rank is 1, the others are 2, found ${ranks.join(', ')}`;
  }
  if (strength != null) {
    const levels = settings.strengths.length;
    if (levels === 0) return `this project asks for no strength. ${change}`;
    if (choice !== 'left' && choice !== 'right')
      return `only a preference for left or right has a strength, found ${choice}`;
    if (!(Number.isInteger(strength) && strength >= 1 && strength <= levels))
      return `a strength is a whole number from 1 to ${levels}, found ${strength}`;
  }
  for (const [key, list] of Object.entries(ratings ?? {})) {
    const aspect = settings.aspects.find((one) => one.key === key);
    if (aspect === undefined) {
      const all = settings.aspects.map((one) => one.key).join(', ') || 'none';
      return `this project has no aspect ${key}. Its aspects: ${all}`;
    }
    const { least, most } = aspect;
    const fits = (one: number): boolean => Number.isInteger(one) && one >= least && one <= most;
    const wrong = list.find((one) => one !== null && !fits(one));
    if (wrong != null)
      return `a rating of ${key} is a whole number from ${least} to ${most}, found ${wrong}`;
  }
  if (edit != null && !settings.edits) return `this project does not ask for edits. ${change}`;
  return null;
}

/** Ranks, so that equal ones follow each other without gaps: 1, 1, 2. */
export function denseRanks(values: readonly number[]): number[] {
  const order = [...new Set(values)].sort((a, b) => a - b);
  return values.map((value) => order.indexOf(value) + 1);
}
