// Tasks as rows that train: pairs with margins or probabilities, rankings and thumbs.
import {
  type Content,
  contentText,
  DataError,
  isChat,
  parseRow,
  trainingFault,
} from '@keel/align/data';
import type { LabelKind } from '../names.ts';
import type { Edit, StoredTask } from '../store/items.ts';
import {
  labelling,
  majorityOf,
  meanRanks,
  meanRatings,
  pairVotes,
  thumbProbability,
} from './votes.ts';

type Fields = Record<string, unknown>;

/** Rows of a task, or why it has none. */
export type RowsOf = (task: StoredTask, labels: LabelKind) => Fields[] | string;

const NOBODY = 'nobody gave a verdict';
const EMPTY = 'an answer is empty: training needs some text';
const UNDECIDED = 'no answer has more votes than the other, and than a tie';

/** Rows of TRL: {prompt, chosen, rejected}, with margin or label_probability. */
export const pairRows: RowsOf = (task, labels) => {
  if (task.kind !== 'pair') return `the task is a ${task.kind}: it is not a pair`;
  if (hasEmpty(task)) return EMPTY;
  const votes = pairVotes(labelling(task));
  if (votes === null) return NOBODY;
  const counts = pairVotes(task);
  const influenced = task.annotations.filter(
    ({ choice, afterSuggestion }) => choice !== null && afterSuggestion !== false,
  ).length;
  const soft = labels === 'votes';
  const winner = majorityOf(votes);
  if (!soft && winner === null) return UNDECIDED;
  const isLeft = soft ? votes.probabilities[0] >= 0.5 : winner === 0;
  const [chosen, rejected] = isLeft ? task.answers : task.answers.toReversed();
  const margin = votes.strength === null ? null : votes.strength * (isLeft ? 1 : -1);
  const models = chosen!.model === null && rejected!.model === null;
  return checked('preference', {
    ...task.columns,
    prompt: task.prompt,
    chosen: chosen!.content,
    rejected: rejected!.content,
    // Votes are uncertainty, a margin is distance: a row has one of them.
    ...(soft
      ? { label_probability: votes.probabilities[isLeft ? 0 : 1] }
      : margin !== null && { margin }),
    ...(!models && { model_chosen: chosen!.model, model_rejected: rejected!.model }),
    ...ratingsOf(task, ([left, right]) =>
      isLeft ? { chosen: left!, rejected: right! } : { chosen: right!, rejected: left! },
    ),
    ...(task.adjudication !== null && { adjudicated: true }),
    ...(counts !== null && {
      votes: {
        chosen: isLeft ? counts.left : counts.right,
        rejected: isLeft ? counts.right : counts.left,
        ties: counts.ties,
        ...(influenced > 0 && { after_suggestion: influenced }),
      },
    }),
  });
};

/** {prompt, completions, ranking}. A pair is a ranking of two. */
export const rankingRows: RowsOf = (task) => {
  if (task.kind === 'thumb') return 'the task is a thumb: it does not compare answers';
  if (hasEmpty(task)) return EMPTY;
  let ranks: number[] | null;
  if (task.kind === 'pair') {
    const votes = pairVotes(labelling(task));
    const winner = votes === null ? null : majorityOf(votes);
    if (votes !== null && winner === null) return UNDECIDED;
    ranks = votes === null ? null : winner === 0 ? [1, 2] : [2, 1];
  } else ranks = meanRanks(labelling(task));
  if (ranks === null) return NOBODY;
  if (Math.max(...ranks) === 1) return 'no answer is better than another';
  const models = task.answers.map(({ model }) => model);
  return checked('ranking', {
    ...task.columns,
    prompt: task.prompt,
    completions: task.answers.map(({ content }) => content),
    ranking: ranks,
    ...(models.some((one) => one !== null) && { models }),
    ...ratingsOf(task, (list) => ({ '': list })),
  });
};

/** {prompt, completion, label}. A pair is two thumbs: both are false where both answers are bad. */
export const thumbRows: RowsOf = (task, labels) => {
  if (task.kind === 'ranking') return 'the task is a ranking: its answers are not judged alone';
  if (hasEmpty(task)) return EMPTY;
  const soft = labels === 'votes';
  const rowOf = (at: number, probability: number): Fields[] | string =>
    checked('unpaired', {
      ...task.columns,
      prompt: task.prompt,
      completion: task.answers[at]!.content,
      label: probability >= 0.5,
      ...(soft && { label_probability: probability }),
      ...ratingsOf(task, (list) => ({ '': list[at]! })),
    });
  if (task.kind === 'thumb') {
    const probability = thumbProbability(labelling(task));
    if (probability === null) return NOBODY;
    return !soft && probability === 0.5 ? UNDECIDED : rowOf(0, probability);
  }
  const votes = pairVotes(labelling(task));
  if (votes === null) return NOBODY;
  const most = Math.max(votes.left, votes.right);
  const both = votes.bothBad > most;
  const winner = majorityOf(votes);
  if (!both && !soft && winner === null) return UNDECIDED;
  const decided = winner === 0 ? [1, 0] : [0, 1];
  const good = both ? [0, 0] : soft ? votes.probabilities : decided;
  const rows: Fields[] = [];
  for (const [at, probability] of good.entries()) {
    const made = rowOf(at, probability);
    if (typeof made === 'string') return made;
    rows.push(...made);
  }
  return rows;
};

/** {prompt, completion}: the better answers that people wrote. */
export const demonstrationRows: RowsOf = (task) => {
  const edits = editsOf(task);
  if (edits.length === 0) return 'nobody wrote a better answer';
  const rows: Fields[] = [];
  for (const edit of edits) {
    const completion = editedAnswer(task, edit);
    const made = checked('completion', { ...task.columns, prompt: task.prompt, completion });
    if (typeof made === 'string') return made;
    rows.push(...made);
  }
  return rows;
};

/** {prompt, chosen, rejected}: each better answer with the one that it started from. */
export function editPairs(task: StoredTask): { rows: Fields[]; faults: string[] } {
  const rows: Fields[] = [];
  const faults: string[] = [];
  for (const edit of editsOf(task)) {
    if (edit.answer === null) {
      faults.push('the better answer started from no answer, and is no pair');
      continue;
    }
    const made = checked('preference', {
      ...task.columns,
      prompt: task.prompt,
      chosen: editedAnswer(task, edit),
      rejected: task.answers[edit.answer]!.content,
    });
    if (typeof made === 'string') faults.push(`the better answer is no pair: ${made}`);
    else rows.push(...made);
  }
  return { rows, faults };
}

/** That of who settled the task, otherwise one of each person who wrote one. */
const editsOf = ({ annotations, adjudication }: StoredTask): Edit[] =>
  adjudication?.edit != null
    ? [adjudication.edit]
    : annotations.flatMap(({ edit }) => (edit === null ? [] : [edit]));

/** In the form of the task's answers. Of a longer conversation, the text is the last turn. */
function editedAnswer({ answers }: StoredTask, { answer, text }: Edit): Content {
  const original = answers[answer ?? 0]!.content;
  if (!isChat(original)) return text;
  const before = answer === null ? [] : original.slice(0, -1);
  return [...before, { role: 'assistant', content: text }];
}

/** Columns `rating_helpful`, or `rating_helpful_chosen` and the like, where there are any. */
function ratingsOf(
  task: StoredTask,
  parts: (list: readonly (number | null)[]) => Record<string, unknown>,
): Fields {
  const columns: Fields = {};
  for (const [aspect, list] of Object.entries(meanRatings(task)))
    for (const [part, value] of Object.entries(parts(list)))
      columns[`rating_${aspect}${part === '' ? '' : `_${part}`}`] = value;
  return columns;
}

/** Rows that training would refuse are not written. */
function checked(
  kind: 'preference' | 'ranking' | 'unpaired' | 'completion',
  row: Fields,
): Fields[] | string {
  try {
    const fault = trainingFault(parseRow(kind, row, { file: 'row' }));
    return fault === null ? [row] : fault.found;
  } catch (error) {
    if (error instanceof DataError) return error.found;
    throw error;
  }
}

/** People can prefer something over an empty answer, but no text of it can be trained on. */
const hasEmpty = ({ answers }: StoredTask): boolean =>
  answers.some(({ content }) => {
    const isCall = isChat(content) && content.some((message) => message.tool_calls !== undefined);
    return !isCall && contentText(content).trim() === '';
  });
