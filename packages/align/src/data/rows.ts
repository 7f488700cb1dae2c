import { z } from 'zod';
import {
  type Content,
  contentOrChatSchema,
  type Message,
  messagesSchema,
  textSchema,
} from './messages.ts';
import type { Rendering } from './rendering.ts';

const finite = z.number({ error: 'a finite number' });
const probability = z
  .number({ error: 'a probability from 0 to 1' })
  .min(0, { error: 'a probability from 0 to 1' })
  .max(1, { error: 'a probability from 0 to 1' });
const truth = z.union([z.boolean(), z.literal(0), z.literal(1)], { error: 'true or false' });
const listOf = <T extends z.ZodType>(item: T, what: string) => z.array(item, { error: what });

/** Text to train on as it is. */
const text = z.looseObject({ text: textSchema });
/** A chat whose assistant turns are trained on. */
const messages = z.looseObject({ messages: messagesSchema });
/** A prompt and the answer to train on. */
const completion = z.looseObject({ prompt: contentOrChatSchema, completion: contentOrChatSchema });

/** Two answers, one of which is better. Without a prompt, their common beginning is the prompt. */
const preference = z.looseObject({
  prompt: contentOrChatSchema.nullish(),
  chosen: contentOrChatSchema,
  rejected: contentOrChatSchema,
  margin: finite.nullish(),
  score_chosen: finite.nullish(),
  score_rejected: finite.nullish(),
  label_probability: probability.nullish(),
});
/**
 * Several answers, each with a rank (1 is best, equal ranks are ties) or a score (higher is
 * better).
 */
const ranking = z.looseObject({
  prompt: contentOrChatSchema,
  completions: listOf(contentOrChatSchema, 'a list of answers'),
  ranking: listOf(
    z.int({ error: 'a rank: a whole number, 1 for the best' }),
    'a list of ranks',
  ).nullish(),
  scores: listOf(finite, 'a list of scores').nullish(),
});
/** The steps of one answer, each with a verdict. */
const process = z.looseObject({
  prompt: contentOrChatSchema,
  completions: listOf(textSchema, 'a list of steps'),
  labels: listOf(truth, 'a list of true or false'),
});

/**
 * One schema for each kind of row: only its shape. `parseRow` checks what a shape cannot express
 * (that two answers differ, that lists have the same length) and normalises. Unknown fields are
 * kept.
 */
export const rowSchemas = {
  text,
  messages,
  completion,
  /**
   * Any of the three above. A row is of the first kind, in the order of {@link supervisedKinds},
   * whose field it has.
   */
  supervised: z.looseObject({ ...messages.shape, ...completion.shape, ...text.shape }),
  preference,
  ranking,
  /** Several answers without a judgement. */
  samples: z.looseObject({
    prompt: contentOrChatSchema,
    completions: listOf(contentOrChatSchema, 'a list of answers'),
  }),
  /** One answer, labelled good (true) or bad (false). */
  unpaired: z.looseObject({
    prompt: contentOrChatSchema,
    completion: contentOrChatSchema,
    label: truth,
    label_probability: probability.nullish(),
  }),
  process,
  /**
   * Answers with a verdict, to train a reward model on: one of {@link judgedKinds}, determined by
   * the fields of each row.
   */
  judged: z.looseObject({ ...preference.shape, ...ranking.shape, ...process.shape }),
  /** A prompt to answer. */
  prompt: z.looseObject({ prompt: contentOrChatSchema }),
};

export type RowKind = keyof typeof rowSchemas;

/** The kinds of a supervised row, each recognised by the field of the same name. */
export const supervisedKinds = ['messages', 'completion', 'text'] as const;

/** The kinds of a judged row. */
export const judgedKinds = ['preference', 'ranking', 'process'] as const;

/** What a row of a kind is called in messages, with its article. */
export const rowName = (kind: RowKind): string => {
  if (kind === 'preference') return 'a pair';
  if (kind === 'ranking') return 'a ranking';
  return `${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind} row`;
};

/** The names of all kinds of rows. */
export const rowKinds = Object.keys(rowSchemas) as RowKind[];

interface Extra {
  /**
   * The row's fields that its kind does not define, as they were read: numbers are plain, or bigint
   * beyond 2^53.
   */
  extra: Record<string, unknown>;
  /**
   * From the columns `tools` and `chat_template_kwargs`; absent if they are empty. Only chats have
   * it.
   */
  rendering?: Rendering;
}

export interface TextRow extends Extra {
  text: string;
}

export interface MessagesRow extends Extra {
  messages: Message[];
}

export interface PromptRow extends Extra {
  prompt: Content;
}

/** Prompt and completion are both plain or both chats. A plain prompt may be the empty string. */
export interface CompletionRow extends PromptRow {
  completion: Content;
}

/** A row of supervised fine-tuning. */
export type SupervisedRow = MessagesRow | CompletionRow | TextRow;

/**
 * Prompt, chosen and rejected are all plain or all chats; the prompt is always spelled out, and the
 * answers do not repeat it. A plain prompt may be the empty string; an answer never is.
 */
export interface PreferenceRow extends PromptRow {
  chosen: Content;
  rejected: Content;
  margin?: number;
  score_chosen?: number;
  score_rejected?: number;
  /** Probability that `chosen` is the better answer, from 0 to 1 (default: 1). */
  label_probability?: number;
}

/** `ranks` has one entry per completion, dense, 1 for the best; equal ranks are ties. */
export interface RankingRow extends PromptRow {
  completions: Content[];
  ranks: number[];
  scores?: number[];
}

export interface SamplesRow extends PromptRow {
  completions: Content[];
}

export interface UnpairedRow extends CompletionRow {
  label: boolean;
  /**
   * Probability that the label `true` is right, from 0 to 1, whatever `label` says; absent: it
   * follows from `label`.
   */
  label_probability?: number;
}

/** The completions are the steps of one answer; `labels` says whether each step is right. */
export interface ProcessRow extends PromptRow {
  completions: string[];
  labels: boolean[];
}

/** A row that a reward model is trained on. */
export type JudgedRow = PreferenceRow | RankingRow | ProcessRow;

export interface RowOf {
  text: TextRow;
  messages: MessagesRow;
  completion: CompletionRow;
  supervised: SupervisedRow;
  preference: PreferenceRow;
  ranking: RankingRow;
  samples: SamplesRow;
  unpaired: UnpairedRow;
  process: ProcessRow;
  judged: JudgedRow;
  prompt: PromptRow;
}

export type Row = RowOf[RowKind];
