// A row in the form that checks read: its prompt and answers as texts, whatever its kind.
import { exactJson } from '@keel/model/exact-json';
import { isDesirable, pairRanks } from '../data/label-probability.ts';
import { type Content, isChat, type Message, textOf } from '../data/messages.ts';
import { renderingColumns } from '../data/rendering.ts';
import type { Row, RowKind } from '../data/rows.ts';

/** The kinds of rows. Each row is of exactly one kind. */
export type OwnKind = Exclude<RowKind, 'supervised' | 'judged'>;

export interface RowView {
  kind: OwnKind;
  /** null for plain text. */
  messages: readonly Message[] | null;
  /**
   * With the row's tools and template variables; null if the row has none: one of plain "text".
   */
  prompt: string | null;
  /** The prompt's messages alone, without those of the system, which many rows share. */
  question: string | null;
  answers: readonly string[];
  /** Answers and turns of the model that say nothing, and are trained on. */
  blank: number;
  /**
   * Rank of each answer, 1 for the best; of a labelled answer, 1 for true and 2 for false; null
   * without a verdict. The more probable label decides.
   */
  ranks: readonly number[] | null;
}

/** The kind of a row, by its fields. */
export function kindOf(row: Row): OwnKind {
  if ('messages' in row) return 'messages';
  if ('chosen' in row) return 'preference';
  if ('labels' in row) return 'process';
  if ('ranks' in row) return 'ranking';
  if ('completions' in row) return 'samples';
  if ('label' in row) return 'unpaired';
  if ('completion' in row) return 'completion';
  return 'text' in row ? 'text' : 'prompt';
}

export function viewOf(row: Row): RowView {
  const view = viewOfMessages(row);
  const columns = renderingColumns(row.rendering);
  if (view.prompt === null || Object.keys(columns).length === 0) return view;
  return { ...view, prompt: `${view.prompt}\n${exactJson(columns)}` };
}

function viewOfMessages(row: Row): RowView {
  const kind = kindOf(row);
  if ('messages' in row) {
    const last = row.messages.findLastIndex(({ role }) => role === 'assistant');
    const [before, answer] = [row.messages.slice(0, last), row.messages.slice(last, last + 1)];
    const view = viewed(kind, before, [answer], null);
    return { ...view, messages: row.messages, blank: blankIn(row.messages) };
  }
  if ('chosen' in row) {
    const ranks = pairRanks(row.label_probability);
    return viewed(kind, row.prompt, [row.chosen, row.rejected], ranks);
  }
  if ('labels' in row) return viewed(kind, row.prompt, [row.completions.join('\n')], null);
  if ('ranks' in row) return viewed(kind, row.prompt, row.completions, row.ranks);
  if ('completions' in row) return viewed(kind, row.prompt, row.completions, null);
  if ('label' in row) return viewed(kind, row.prompt, [row.completion], [isDesirable(row) ? 1 : 2]);
  if ('completion' in row) return viewed(kind, row.prompt, [row.completion], null);
  if (!('text' in row)) return viewed(kind, row.prompt, [], null);
  return {
    ...{ kind, messages: null, prompt: null, question: null },
    ...{ answers: [row.text], blank: blankIn(row.text), ranks: null },
  };
}

function viewed(
  kind: OwnKind,
  prompt: Content,
  answers: readonly Content[],
  ranks: readonly number[] | null,
): RowView {
  const [answer = []] = answers;
  return {
    kind,
    messages: isChat(prompt) ? [...prompt, ...(isChat(answer) ? answer : [])] : null,
    prompt: written(prompt),
    question: written(isChat(prompt) ? prompt.filter((message) => !isSystem(message)) : prompt),
    answers: answers.map(written),
    blank: answers.reduce((sum, one) => sum + blankIn(one), 0),
    ranks,
  };
}

/** A turn with a mark, such as `"weight": 0`, or with tool calls is not blank. */
const blankIn = (content: Content): number =>
  isChat(content)
    ? content.filter((one) => one.role === 'assistant' && spoken(one).trim() === '').length
    : Number(content.trim() === '');

export const isSystem = ({ role }: Message): boolean => role === 'system' || role === 'developer';

const written = (content: Content): string =>
  isChat(content) ? content.map(spoken).join('\n') : content;

/** The text of a message, and its other fields: calls, reasoning, marks of what is trained on. */
function spoken(message: Message): string {
  const { role: _, content: __, ...others } = message;
  const fields = Object.entries(others).filter(([, value]) => value !== null);
  return fields.length === 0
    ? textOf(message)
    : `${textOf(message)}\n${exactJson(Object.fromEntries(fields))}`;
}
