// UltraFeedback (Cui et al. 2024, arXiv:2310.01377): four rated answers to each instruction.
import { isPlainObject } from '@keel/model/exact-json';
import { describeValue } from '../../data/data-error.ts';
import type { Example, Fields, Reading, RowFormat } from './example.ts';
import { assistant, listIn, numberIn, textIn, user, without } from './turns.ts';

const holdsResponses = (value: unknown): boolean => {
  const [first] = listIn(value) ?? [];
  return isPlainObject(first) && 'response' in first;
};

export const ultraFeedback: RowFormat = {
  name: 'ultrafeedback',
  columns: '`instruction`, `completions` of `response`, ratings in `annotations`, `overall_score`',
  recognise: (row) =>
    'instruction' in row && holdsResponses(row.completions)
      ? 'the column "completions", whose entries have a "response"'
      : null,
  convert([row], reading): Example {
    const list = listIn(row!.completions);
    const asked = textIn(row!, 'instruction', reading);
    if (list === null || list.length < 2) {
      return reading.fail('completions', {
        expected: 'at least two answers with their ratings',
        found: describeValue(row!.completions),
      });
    }
    const answers = list.map((one, at): Fields => {
      if (isPlainObject(one) && typeof one.response === 'string') return one;
      const expected = 'an answer with a "response"';
      return reading.fail(`completions[${at}]`, { expected, found: describeValue(one) });
    });
    const scores = answers.map((one, at) => scoreOf(one, at, reading));
    if (reading.score === null && answers.some(({ overall_score: one }) => one !== undefined)) {
      reading.drop('completions.overall_score', 'the mean rating is used (--score)');
    }
    for (const name of ['critique', 'custom_system_prompt', 'principle', 'annotations'] as const) {
      if (answers.some((one) => one[name] !== undefined && one[name] !== '')) {
        reading.drop(`completions.${name}`, 'a ranking has only texts and scores');
      }
    }
    const models = answers.map(({ model }) => model);
    const columns = without(row!, ['instruction', 'completions']);
    if (!('models' in columns) && models.some((one) => one !== undefined)) columns.models = models;
    return {
      kind: 'ranking',
      prompt: [user(asked)],
      completions: answers.map((one) => [assistant(one.response as string)]),
      order: { scores },
      columns,
    };
  },
};

/**
 * The mean rating by default: `overall_score` has known errors (10 for some answers that were rated
 * 1, see the data set's own page).
 */
function scoreOf(answer: Fields, at: number, { score, fail }: Reading): number {
  const { annotations } = answer;
  const rating = (aspect: unknown): number | null =>
    numberIn(isPlainObject(aspect) ? aspect.Rating : undefined);
  const ratings = Object.values(isPlainObject(annotations) ? annotations : {}).map(rating);
  const mean = ratings.length > 0 && !ratings.includes(null) ? average(ratings as number[]) : null;
  const found =
    score === null
      ? (numberIn(answer['fine-grained_score']) ?? mean ?? numberIn(answer.overall_score))
      : (numberIn(answer[score]) ??
        rating(isPlainObject(annotations) ? annotations[score] : undefined));
  if (found !== null) return found;
  return fail(`completions[${at}]`, {
    expected: score === null ? 'a rating' : `a number in "${score}"`,
    found: describeValue(answer),
    advice: score === null ? undefined : 'Pass another --score, or omit it',
  });
}

const average = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
