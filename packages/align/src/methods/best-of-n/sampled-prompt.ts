// A prompt with its sampled answers, and the rows that other verbs read of it.
import { type Content, isChat } from '../../data/messages.ts';

/** All that is known of a prompt's answers; a line of the journal. */
export interface SampledPrompt {
  /** Place in the data, from 0. */
  row: number;
  prompt: Content;
  /** What the prompt was rendered with, as the columns of a row; absent where it had none. */
  tools?: unknown[];
  chat_template_kwargs?: Record<string, unknown>;
  /**
   * What each written answer begins with before its text, such as `<think>\n`: the generation
   * prompt opened it. Absent where it opened nothing.
   */
  opened?: string;
  texts: string[];
  /** After the penalty for answers that were cut off. */
  scores: number[];
  tokens: number[];
  /** Whether each came to its end. */
  ended: boolean[];
}

/** A prompt that leaves no room for an answer, or that is bad. */
export interface LeftOutPrompt {
  row: number;
  left_out: true;
  /** What is wrong with it; absent where it leaves no room. */
  fault?: string;
}

export const bestOfNForms = ['best', 'all', 'pairs'] as const;
export type BestOfNForm = (typeof bestOfNForms)[number];

/**
 * A row as `keel sft` (best), `keel reward` (all) or `keel dpo` (pairs) reads it. Empty answers are
 * in none: no verb takes them.
 * @returns null where the answers make no such row: there is none, or none that is better than
 *   another
 */
export function rowOfForm(sampled: SampledPrompt, form: BestOfNForm): object | null {
  const { row, prompt, tools, chat_template_kwargs, opened = '', texts, scores } = sampled;
  const rendering = {
    ...(tools && { tools }),
    ...(chat_template_kwargs && { chat_template_kwargs }),
  };
  const usable = texts.flatMap((text, at) => (text === '' ? [] : [at]));
  const answer = (at: number): Content => {
    const content = `${opened}${texts[at]!}`;
    return isChat(prompt) ? [{ role: 'assistant', content }] : content;
  };
  if (form === 'all') {
    if (usable.length < 2) return null;
    return {
      row,
      prompt,
      ...rendering,
      completions: usable.map(answer),
      scores: usable.map((at) => scores[at]!),
    };
  }
  const best = firstOf(usable, (at, most) => scores[at]! > scores[most]!);
  if (best === undefined) return null;
  if (form === 'best') {
    return { row, prompt, ...rendering, completion: answer(best), score: scores[best]! };
  }
  const worst = firstOf(usable, (at, least) => scores[at]! < scores[least]!)!;
  if (scores[best] === scores[worst] || texts[best] === texts[worst]) return null;
  return {
    ...{ row, prompt, ...rendering, chosen: answer(best), rejected: answer(worst) },
    ...{ score_chosen: scores[best]!, score_rejected: scores[worst]! },
  };
}

/** The first that no other is ahead of; undefined of none. */
const firstOf = (
  places: readonly number[],
  ahead: (one: number, other: number) => boolean,
): number | undefined =>
  places.length === 0
    ? undefined
    : places.reduce((first, one) => (ahead(one, first) ? one : first));
