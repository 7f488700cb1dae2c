import type { Message } from '../../data/messages.ts';

/** How a judge is told to answer. */
export type AnswerForm =
  /** With a label alone, or with reasons and then the label after {@link Question.cue}. */
  | 'label'
  /** With an object: `{"verdict": "A"}`, with reasons `{"reason": …, "verdict": "A"}`. */
  | 'json';

/** What a judge is asked. */
export interface Question {
  /** The question is the last message; examples are earlier turns of user and assistant. */
  messages: Message[];
  /** What the judge may answer. */
  labels: readonly string[];
  /**
   * What comes before the label in an answer with reasons and in plain text: `Verdict:`.
   */
  cue: string;
  /** Whether it writes its reasons first. */
  reasoning: boolean;
}

/** How a judge should answer. */
export interface Reply {
  labels: readonly string[];
  cue: string;
  /** What a label is called. */
  noun: 'label' | 'number';
  reasoning: boolean;
  form: AnswerForm;
}

/** Says how to answer. @param meaning of the labels: `A if answer A is better` */
export function replyRule(meaning: string, { cue, noun, reasoning, form }: Reply): string {
  if (form === 'json') {
    const shape = `{${reasoning ? '"reason": "…", ' : ''}"verdict": "…"}`;
    return `Reply with JSON alone: ${shape}. The verdict is ${meaning}.`;
  }
  if (!reasoning) return `Reply with the ${noun} alone: ${meaning}.`;
  return (
    'First explain your reasons in a few sentences. Then write your verdict on a line of its own ' +
    `after "${cue}": ${meaning}.`
  );
}

/** How the judge would have answered an example. */
export const exampleReply = (label: string, { cue, reasoning, form }: Reply): string => {
  if (form === 'json') return JSON.stringify({ verdict: label });
  return reasoning ? `${cue} ${label}` : label;
};

/** `a, b or c` */
export const either = (parts: readonly string[]): string =>
  parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} or ${parts.at(-1)}`;

/** Replaces `{name}` in a text, once: a value is not searched. */
export const filled = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replace(/\{(\w+)\}/g, (whole, name) =>
    Object.hasOwn(values, name) ? values[name]! : whole,
  );
