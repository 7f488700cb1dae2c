// A prompt with its sampled answers, and the rows made from it for other verbs.
import { parseExactJson } from '@keel/model/exact-json';
import { finishColumns } from '../../data/finish-reasons.ts';
import { type Content, isChat } from '../../data/messages.ts';

/** A prompt with its answers: a line of the journal. */
export interface SampledPrompt {
  /** Index of the row in the data, from 0. */
  row: number;
  prompt: Content;
  /** The row's other columns; absent if there are none. */
  columns?: Readonly<Record<string, unknown>>;
  /** What the prompt was rendered with, as columns of a row; absent if there was nothing. */
  tools?: unknown[];
  chat_template_kwargs?: Record<string, unknown>;
  /**
   * The start of each written answer, such as `<think>\n`, which the generation prompt opened;
   * absent if it opened nothing.
   */
  opened?: string;
  texts: string[];
  /** After the penalty for answers that were cut off. */
  scores: number[];
  tokens: number[];
  /** Whether each answer finished. */
  ended: boolean[];
}

/** A prompt that was skipped: it leaves no room for an answer, or it is bad. */
export interface LeftOutPrompt {
  row: number;
  left_out: true;
  /** What is wrong with it; absent if it leaves no room. */
  fault?: string;
}

export type JournalLine = SampledPrompt | LeftOutPrompt;

/**
 * A line of the journal. The journal's own numbers are plain; numbers inside the row's fields keep
 * their original form.
 */
export const parseLine = (text: string): JournalLine => {
  const line = JSON.parse(text) as JournalLine;
  if ('left_out' in line) return line;
  const { prompt, columns, tools, chat_template_kwargs } = parseExactJson(text) as SampledPrompt;
  return {
    ...{ ...line, prompt },
    ...(columns && { columns }),
    ...(tools && { tools }),
    ...(chat_template_kwargs && { chat_template_kwargs }),
  };
};

export const bestOfNForms = ['best', 'all', 'pairs'] as const;
export type BestOfNForm = (typeof bestOfNForms)[number];

/**
 * A row for `keel sft` (best), `keel reward` (all) or `keel dpo` (pairs). Rows never contain empty
 * answers, because no verb accepts them.
 * @returns null if the answers make no such row: there are none, or none is better than another
 */
export function rowOfForm(sampled: SampledPrompt, form: BestOfNForm): object | null {
  const { row, prompt, columns, tools, chat_template_kwargs, opened = '' } = sampled;
  const { texts, scores, ended } = sampled;
  const asked = {
    ...columns,
    ...{ row, prompt },
    ...(tools && { tools }),
    ...(chat_template_kwargs && { chat_template_kwargs }),
  };
  const usable = texts.flatMap((text, at) => (text === '' ? [] : [at]));
  const answer = (at: number): Content => {
    const content = `${opened}${texts[at]!}`;
    return isChat(prompt) ? [{ role: 'assistant', content }] : content;
  };
  const finish = (at: number): string => (ended[at] ? 'stop' : 'length');
  if (form === 'all') {
    if (usable.length < 2) return null;
    return {
      ...asked,
      completions: usable.map(answer),
      scores: usable.map((at) => scores[at]!),
      finish_reasons: usable.map(finish),
    };
  }
  const best = firstOf(usable, (at, most) => scores[at]! > scores[most]!);
  if (best === undefined) return null;
  if (form === 'best') {
    return {
      ...{ ...asked, completion: answer(best), score: scores[best]! },
      finish_reason: finish(best),
    };
  }
  const worst = firstOf(usable, (at, least) => scores[at]! < scores[least]!)!;
  if (scores[best] === scores[worst] || texts[best] === texts[worst]) return null;
  return {
    ...{ ...asked, chosen: answer(best), rejected: answer(worst) },
    ...{ score_chosen: scores[best]!, score_rejected: scores[worst]! },
    ...{ chosen_finish_reason: finish(best), rejected_finish_reason: finish(worst) },
  };
}

/** The first item that no other is ahead of; undefined if there are no items. */
const firstOf = (
  places: readonly number[],
  ahead: (one: number, other: number) => boolean,
): number | undefined =>
  places.length === 0
    ? undefined
    : places.reduce((first, one) => (ahead(one, first) ? one : first));

/** Columns of {@link rowOfForm}, beside prompts and answers. */
export const writtenColumns = ['row', 'score'];

/** Whether an answer of a row was cut off, so that training refuses the row. */
export const isCutRow = (row: object): boolean =>
  finishColumns.some((name) => [(row as Record<string, unknown>)[name]].flat().includes('length'));
