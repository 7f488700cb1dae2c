// Tasks for other annotation tools, with the verdicts that there are. They can come back: equal
// tasks are found again by prompt and answers.
import { type Content, contentText, isChat } from '@keel/align/data';
import { ORIGINAL } from '../importing/formats/content.ts';
import { EDIT, partName, SETTLED } from '../importing/formats/verdict-parts.ts';
import type { Adjudication, StoredTask, StoredVerdict, Verdict } from '../store/items.ts';
import { withoutExpectations } from '../store/suggestions.ts';

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

/** The tag with the items of Label Studio's Ranker, which are the answers. */
const LIST = 'answers';
/** The tag of the prompt: what is no ranking cannot be about a list. */
const PROMPT = 'prompt';

/** How the answers of a task are named in a tool. */
interface Named {
  names: readonly string[];
  /** Of Label Studio: whether the answers are items of one list. */
  isList: boolean;
  /** Aspects whose ratings are stars; others are numbers. */
  stars: ReadonlySet<string>;
}

/**
 * A task of Label Studio, with data fields prompt, answer1 and answer2, or items.
 * @param stars keys of the aspects whose ratings are stars, which are whole numbers from 1
 */
export function labelStudioTask(
  task: StoredTask,
  index: number,
  stars: ReadonlySet<string> = new Set(),
): Fields {
  const original = originalOf(task);
  const texts = task.answers.map(({ content }) => shownText(content));
  const names = texts.map((_, at) => `answer${at + 1}`);
  const isList = task.kind === 'ranking';
  const fields = Object.fromEntries(names.map((name, at) => [name, texts[at]]));
  const items = texts.map((body, at) => ({ id: names[at], title: `Answer ${at + 1}`, body }));
  const named = { names, isList, stars };
  const settled = task.adjudication === null ? [] : [settledAnnotation(task.adjudication, named)];
  const gold = task.gold === null ? [] : [goldAnnotation(task.gold, named)];
  return {
    id: index + 1,
    data: {
      prompt: shownText(task.prompt),
      ...(isList ? { items } : fields),
      ...(original !== null && { [ORIGINAL]: original }),
    },
    annotations: [...task.annotations.map((one) => annotationOf(one, named)), ...settled, ...gold],
    predictions: [],
    meta: withoutExpectations(task.columns),
  };
}

const annotationOf = (verdict: StoredVerdict, named: Named): Fields => ({
  completed_by: { email: verdict.person },
  result: resultsOf(verdict, named),
  was_cancelled: verdict.choice === null,
  ground_truth: false,
  created_at: verdict.at,
  updated_at: verdict.at,
  ...(verdict.seconds !== null && { lead_time: verdict.seconds }),
  ...(verdict.afterSuggestion !== false && { after_suggestion: verdict.afterSuggestion }),
});

/** A verdict that settles the task: the choice "settled" says so. */
const settledAnnotation = (verdict: Adjudication, named: Named): Fields => ({
  completed_by: { email: verdict.person },
  result: [
    ...resultsOf(verdict, named),
    {
      ...{ type: 'choices', from_name: SETTLED, to_name: objectOf(named, 0) },
      value: { choices: [SETTLED] },
    },
  ],
  was_cancelled: false,
  ground_truth: true,
  created_at: verdict.at,
  updated_at: verdict.at,
});

const goldAnnotation = (gold: Verdict, named: Named): Fields => ({
  completed_by: { email: 'gold' },
  result: resultsOf(gold, named),
  was_cancelled: false,
  ground_truth: true,
});

/** What a part of a verdict is about: an answer, or the task where the answers are a list. */
const objectOf = ({ names, isList }: Named, answer: number): string =>
  isList ? PROMPT : names[answer]!;

function resultsOf(
  { choice, ranks, strength, comment, ratings, edit }: Verdict,
  named: Named,
): Fields[] {
  const { names, stars } = named;
  const result = (type: string, from_name: string, value: Fields, answer = 0): Fields => ({
    ...{ type, from_name, value },
    to_name: objectOf(named, answer),
  });
  const results: Fields[] = [];
  if (choice === 'left' || choice === 'right')
    results.push(result('pairwise', 'comparison', { selected: choice }));
  else if (choice === 'ranked') {
    const ranker: Record<string, string[]> = {};
    for (const [at, rank] of ranks!.entries())
      ranker[`rank ${rank}`] = [...(ranker[`rank ${rank}`] ?? []), names[at]!];
    results.push({ ...result('ranker', 'ranking', { ranker }), to_name: LIST });
  } else if (choice !== null) results.push(result('choices', 'verdict', { choices: [choice] }));
  if (strength != null) results.push(result('rating', 'strength', { rating: strength }));
  for (const [aspect, list] of Object.entries(ratings ?? {}))
    for (const [at, value] of list.entries()) {
      if (value === null) continue;
      const type = stars.has(aspect) ? 'rating' : 'number';
      results.push(result(type, partName(aspect, names[at]!), { [type]: value }, at));
    }
  if (edit != null) {
    const { answer, text } = edit;
    const name = partName(EDIT, answer === null ? null : names[answer]!);
    const one = result('textarea', name, { text: [text] }, answer ?? 0);
    results.push(answer === null ? { ...one, to_name: PROMPT } : one);
  }
  if (comment != null) results.push(result('textarea', 'comment', { text: [comment] }));
  return results;
}

/** Ratings that questions of Argilla can have. */
const isArgillaRating = (value: number): boolean =>
  Number.isInteger(value) && value >= 0 && value <= 10;

/**
 * A record of Argilla 2, with fields prompt and response-1, …, and a question "preference".
 * @param lost receives what a record has no place for
 */
export function argillaRecord(task: StoredTask, lost: (why: string) => void): Fields {
  const original = originalOf(task);
  const names = task.answers.map((_, at) => `response-${at + 1}`);
  const fields = names.map((name, at) => [name, shownText(task.answers[at]!.content)]);
  const responses: Record<string, Fields[]> = {};
  const add = (question: string, user_id: string, value: unknown, status = 'submitted'): void => {
    responses[question] = [...(responses[question] ?? []), { value, user_id, status }];
  };
  /** @param part adds to the names of questions, for a verdict that settles the task */
  const addParts = (
    verdict: StoredVerdict | Adjudication,
    part: (name: string) => string,
  ): void => {
    const { person, comment, strength, ratings, edit } = verdict;
    const rated = (question: string, value: number): void => {
      if (isArgillaRating(value)) add(part(question), person, value);
      else
        lost('a rating is not a whole number from 0 to 10, which is what Argilla has: not written');
    };
    if (comment !== null) add(part('comment'), person, comment);
    if (strength !== null) rated('strength', strength);
    for (const [aspect, list] of Object.entries(ratings ?? {}))
      for (const [at, value] of list.entries())
        if (value !== null) rated(partName(aspect, names[at]!), value);
    if (edit !== null)
      add(
        part(partName(EDIT, edit.answer === null ? null : names[edit.answer]!)),
        person,
        edit.text,
      );
  };
  for (const one of task.annotations) {
    const status = one.choice === null ? 'discarded' : 'submitted';
    add('preference', one.person, argillaValue(one, names), status);
    addParts(one, (name) => name);
  }
  const { adjudication } = task;
  if (adjudication !== null) {
    add(SETTLED, adjudication.person, argillaValue(adjudication, names));
    addParts(adjudication, (name) => `${SETTLED}-${name}`);
  }
  return {
    id: task.id,
    status: task.annotations.length < task.overlap ? 'pending' : 'completed',
    fields: { prompt: shownText(task.prompt), ...Object.fromEntries(fields) },
    // Metadata of Argilla are single values.
    metadata: {
      ...withoutExpectations(task.columns),
      ...(original !== null && { [ORIGINAL]: JSON.stringify(original) }),
    },
    suggestions: {},
    responses,
    vectors: {},
  };
}

function argillaValue({ choice, ranks }: Verdict, names: readonly string[]): unknown {
  if (choice === 'left' || choice === 'right') return names[choice === 'left' ? 0 : 1];
  return choice === 'ranked' ? names.map((value, at) => ({ value, rank: ranks![at] })) : choice;
}
