// Tasks for other annotation tools, with the verdicts that there are. They can come back: equal
// tasks are found again by prompt and answers.
import { type Content, contentText, isChat } from '@keel/align/data';
import { ORIGINAL } from '../importing/formats/content.ts';
import type { StoredTask, StoredVerdict, Verdict } from '../store/items.ts';

type Fields = Record<string, unknown>;

/** A chat's text as the tools show it; turns other than the only one are named. */
function shownText(content: Content): string {
  if (!isChat(content) || content.length === 1) return contentText(content);
  return content.map((turn) => `${turn.role}: ${contentText([turn])}`).join('\n\n');
}

/** What a text cannot hold. */
const originalOf = ({ prompt, answers }: StoredTask): Fields | null =>
  isChat(prompt) || answers.some(({ content }) => isChat(content))
    ? { prompt, answers: answers.map(({ content }) => content) }
    : null;

/** A task of Label Studio, with data fields prompt, answer1 and answer2, or items. */
export function labelStudioTask(task: StoredTask, index: number): Fields {
  const original = originalOf(task);
  const texts = task.answers.map(({ content }) => shownText(content));
  const names = texts.map((_, at) => `answer${at + 1}`);
  const isRanking = task.kind === 'ranking';
  const named = Object.fromEntries(names.map((name, at) => [name, texts[at]]));
  const items = texts.map((body, at) => ({ id: names[at], title: `Answer ${at + 1}`, body }));
  const gold = task.gold === null ? [] : [goldAnnotation(task.gold, names)];
  return {
    id: index + 1,
    data: {
      prompt: shownText(task.prompt),
      ...(isRanking ? { items } : named),
      ...(original !== null && { [ORIGINAL]: original }),
    },
    annotations: [...task.annotations.map((one) => annotationOf(one, names)), ...gold],
    predictions: [],
    meta: task.columns,
  };
}

const annotationOf = (verdict: StoredVerdict, names: readonly string[]): Fields => ({
  completed_by: { email: verdict.person },
  result: resultsOf(verdict, names),
  was_cancelled: verdict.choice === null,
  ground_truth: false,
  created_at: verdict.at,
  updated_at: verdict.at,
  ...(verdict.seconds !== null && { lead_time: verdict.seconds }),
});

const goldAnnotation = (gold: Verdict, names: readonly string[]): Fields => ({
  completed_by: { email: 'gold' },
  result: resultsOf(gold, names),
  was_cancelled: false,
  ground_truth: true,
});

function resultsOf(
  { choice, ranks, strength, comment }: Verdict,
  names: readonly string[],
): Fields[] {
  const result = (type: string, from_name: string, value: Fields): Fields => ({
    ...{ type, from_name, value },
    to_name: names[0],
  });
  const results: Fields[] = [];
  if (choice === 'left' || choice === 'right')
    results.push(result('pairwise', 'comparison', { selected: choice }));
  else if (choice === 'ranked') {
    const ranker: Record<string, string[]> = {};
    for (const [at, rank] of ranks!.entries())
      ranker[`rank ${rank}`] = [...(ranker[`rank ${rank}`] ?? []), names[at]!];
    results.push(result('ranker', 'ranking', { ranker }));
  } else if (choice !== null) results.push(result('choices', 'verdict', { choices: [choice] }));
  if (strength != null) results.push(result('rating', 'strength', { rating: strength }));
  if (comment != null) results.push(result('textarea', 'comment', { text: [comment] }));
  return results;
}

/** A record of Argilla 2, with fields prompt and response-1, …, and a question "preference". */
export function argillaRecord(task: StoredTask): Fields {
  const original = originalOf(task);
  const names = task.answers.map((_, at) => `response-${at + 1}`);
  const fields = names.map((name, at) => [name, shownText(task.answers[at]!.content)]);
  const responses = task.annotations.map((one) => ({
    value: argillaValue(one, names),
    user_id: one.person,
    status: one.choice === null ? 'discarded' : 'submitted',
  }));
  const comments = task.annotations.flatMap(({ comment, person }) =>
    comment === null ? [] : [{ value: comment, user_id: person, status: 'submitted' }],
  );
  return {
    id: task.id,
    status: task.annotations.length < task.overlap ? 'pending' : 'completed',
    fields: { prompt: shownText(task.prompt), ...Object.fromEntries(fields) },
    // Metadata of Argilla are single values.
    metadata: {
      ...task.columns,
      ...(original !== null && { [ORIGINAL]: JSON.stringify(original) }),
    },
    suggestions: {},
    responses: {
      ...(responses.length > 0 && { preference: responses }),
      ...(comments.length > 0 && { comment: comments }),
    },
    vectors: {},
  };
}

function argillaValue({ choice, ranks }: Verdict, names: readonly string[]): unknown {
  if (choice === 'left' || choice === 'right') return names[choice === 'left' ? 0 : 1];
  return choice === 'ranked' ? names.map((value, at) => ({ value, rank: ranks![at] })) : choice;
}
