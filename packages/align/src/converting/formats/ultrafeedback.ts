// UltraFeedback (Cui et al. 2024, arXiv:2310.01377): four rated answers to each instruction.
import { isDeepStrictEqual } from 'node:util';
import { isPlainObject } from '@keel/model/exact-json';
import { describeValue } from '../../data/data-error.ts';
import { isEmpty } from '../../data/is-empty.ts';
import type { Example, Fields, Reading, RowFormat } from './example.ts';
import {
  assistant,
  isBlank,
  jsonIn,
  listIn,
  numberIn,
  plainText,
  textIn,
  user,
  without,
} from './turns.ts';

const holdsResponses = (value: unknown): boolean => {
  const [first] = listIn(value) ?? [];
  return isPlainObject(first) && 'response' in first;
};

export const ultraFeedback: RowFormat = {
  name: 'ultrafeedback',
  columns: '`instruction`, `completions` of `response`, ratings in `annotations`, `overall_score`',
  reads: ['instruction', 'completions'],
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
      if (isPlainObject(one) && typeof one.response === 'string') {
        plainText(one.response, `completions[${at}].response`, reading.fail);
        return { ...one, annotations: jsonIn(one.annotations) };
      }
      const expected = 'an answer with a "response"';
      return reading.fail(`completions[${at}]`, { expected, found: describeValue(one) });
    });
    const { scores, used, why } = scoresOf(answers, reading);
    const columns = without(row!, ['instruction', 'completions']);
    const models = answers.map(({ model }) => model);
    const keepsModels = isEmpty(columns.models) && models.some((one) => !isEmpty(one));
    if (keepsModels) columns.models = models;
    for (const name of new Set(answers.flatMap(Object.keys))) {
      if (name === 'response' || name === used || (name === 'model' && keepsModels)) continue;
      const values = answers.map((one) => one[name]);
      if (
        values.every(isBlank) ||
        (name === 'model' && isDeepStrictEqual(values, columns.models))
      ) {
        continue;
      }
      const compared = name === 'overall_score' || name === 'fine-grained_score';
      reading.drop(`completions.${name}`, compared ? why : 'a ranking has only texts and scores');
    }
    return {
      kind: 'ranking',
      prompt: [user(asked)],
      completions: answers.map((one) => [assistant(one.response as string)]),
      order: { scores },
      columns,
    };
  },
};

interface Scores {
  scores: number[];
  /** The field of the answers that has the scores; null for their ratings. */
  used: string | null;
  /** By what the answers are compared, for the columns that are not used. */
  why: string;
}

/**
 * The scores of all answers by one measure. By default, that is the mean rating: `overall_score`
 * has known errors (10 for some answers that were rated 1, see the data set's own page).
 * @throws DataError if no measure has a number for every answer
 */
function scoresOf(answers: readonly Fields[], reading: Reading): Scores {
  const { score } = reading;
  const byField = (name: string, why: string): Scores | null => {
    const scores = answers.map((one) => numberIn(one[name]));
    return scores.includes(null) ? null : { scores: scores as number[], used: name, why };
  };
  const found =
    score === null
      ? (byField('fine-grained_score', 'the fine-grained score is used (--score)') ??
        byRatings(answers, reading) ??
        byField('overall_score', 'an answer has no rating: the overall score is used (--score)'))
      : (byField(score, `answers are compared by ${score} (--score)`) ?? byRating(answers, score));
  if (found !== null) return found;
  const at = answers.findIndex((one) =>
    score === null
      ? ratingsOf(one).size === 0 && numberIn(one.overall_score) === null
      : numberIn(one[score]) === null && !ratingsOf(one).has(score),
  );
  return reading.fail(at === -1 ? 'completions' : `completions[${at}]`, {
    expected:
      score === null
        ? 'a rating of the same kind for every answer'
        : `a number in "${score}" for every answer`,
    found: describeValue(at === -1 ? answers : answers[at]),
    advice: score === null ? undefined : 'Pass another --score, or omit it',
  });
}

/** The mean of the ratings that every answer has; null if there is none. */
function byRatings(answers: readonly Fields[], { drop }: Reading): Scores | null {
  const ratings = answers.map(ratingsOf);
  const aspects = [...new Set(ratings.flatMap((one) => [...one.keys()]))];
  const common = aspects.filter((aspect) => ratings.every((one) => one.has(aspect)));
  if (common.length === 0) return null;
  for (const aspect of aspects.filter((one) => !common.includes(one))) {
    drop(`completions.annotations.${aspect}`, 'an answer has no such rating');
  }
  const scores = ratings.map((one) => average(common.map((aspect) => one.get(aspect)!)));
  return { scores, used: null, why: 'the mean rating is used (--score)' };
}

function byRating(answers: readonly Fields[], aspect: string): Scores | null {
  const scores = answers.map((one) => ratingsOf(one).get(aspect));
  if (scores.includes(undefined)) return null;
  return {
    scores: scores as number[],
    used: null,
    why: `answers are compared by ${aspect} (--score)`,
  };
}

/** The ratings of an answer that are numbers, by aspect. */
function ratingsOf({ annotations }: Fields): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const [aspect, value] of Object.entries(isPlainObject(annotations) ? annotations : {})) {
    const rating = numberIn(isPlainObject(value) ? value.Rating : undefined);
    if (rating !== null) found.set(aspect, rating);
  }
  return found;
}

const average = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
