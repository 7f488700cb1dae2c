// Tasks as rows that train: pairs with margins or probabilities, rankings and thumbs.
import { DataError, parseRow, trainingFault } from '@keel/align/data';
import type { LabelKind } from '../names.ts';
import type { StoredTask } from '../store/items.ts';
import { majorityOf, meanRanks, pairVotes, thumbProbability } from './votes.ts';

type Fields = Record<string, unknown>;

/** Rows of a task, or why it has none. */
export type RowsOf = (task: StoredTask, labels: LabelKind) => Fields[] | string;

const NOBODY = 'nobody gave a verdict';
const UNDECIDED = 'no answer has more votes than the other, and than a tie';

/** Rows of TRL: {prompt, chosen, rejected}, with margin or label_probability. */
export const pairRows: RowsOf = (task, labels) => {
  if (task.kind !== 'pair') return `the task is a ${task.kind}: it is not a pair`;
  const votes = pairVotes(task);
  if (votes === null) return NOBODY;
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
    votes: {
      chosen: isLeft ? votes.left : votes.right,
      rejected: isLeft ? votes.right : votes.left,
      ties: votes.ties,
    },
  });
};

/** {prompt, completions, ranking}. A pair is a ranking of two. */
export const rankingRows: RowsOf = (task) => {
  if (task.kind === 'thumb') return 'the task is a thumb: it does not compare answers';
  let ranks: number[] | null;
  if (task.kind === 'pair') {
    const votes = pairVotes(task);
    const winner = votes === null ? null : majorityOf(votes);
    if (votes !== null && winner === null) return UNDECIDED;
    ranks = votes === null ? null : winner === 0 ? [1, 2] : [2, 1];
  } else ranks = meanRanks(task);
  if (ranks === null) return NOBODY;
  if (Math.max(...ranks) === 1) return 'no answer is better than another';
  const models = task.answers.map(({ model }) => model);
  return checked('ranking', {
    ...task.columns,
    prompt: task.prompt,
    completions: task.answers.map(({ content }) => content),
    ranking: ranks,
    ...(models.some((one) => one !== null) && { models }),
  });
};

/** {prompt, completion, label}. A pair is two thumbs: both are false where both answers are bad. */
export const thumbRows: RowsOf = (task, labels) => {
  if (task.kind === 'ranking') return 'the task is a ranking: its answers are not judged alone';
  const soft = labels === 'votes';
  const rowOf = (at: number, probability: number): Fields[] | string =>
    checked('unpaired', {
      ...task.columns,
      prompt: task.prompt,
      completion: task.answers[at]!.content,
      label: probability >= 0.5,
      ...(soft && { label_probability: probability }),
    });
  if (task.kind === 'thumb') {
    const probability = thumbProbability(task);
    if (probability === null) return NOBODY;
    return !soft && probability === 0.5 ? UNDECIDED : rowOf(0, probability);
  }
  const votes = pairVotes(task);
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

/** Rows that training would refuse are not written. */
function checked(kind: 'preference' | 'ranking' | 'unpaired', row: Fields): Fields[] | string {
  try {
    const fault = trainingFault(parseRow(kind, row, { file: 'row' }));
    return fault === null ? [row] : fault.found;
  } catch (error) {
    if (error instanceof DataError) return error.found;
    throw error;
  }
}
