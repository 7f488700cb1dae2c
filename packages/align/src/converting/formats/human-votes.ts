// Two answers and the votes of several people, which are numbered as in PandaLM's test set (Wang et
// al. 2023, arXiv:2306.05087): 1 for the first answer, 2 for the second, 0 for a tie. The answer
// with more votes is chosen; its share of the votes, with half of the ties, is the probability of
// the label.
import { isPlainObject, plainNumbers } from '@keel/model/exact-json';
import { describeValue } from '../../data/data-error.ts';
import type { Example, Fields, PairVote, Reading, RowFormat } from './example.ts';
import { assistant, has, jsonIn, oneColumn, textIn, user, without } from './turns.ts';

const votesColumns = ['labels', 'votes'];
const firsts = ['response_1', 'response1'];
const seconds = ['response_2', 'response2'];

const oneOf = (row: Fields, names: readonly string[]): string | undefined =>
  names.find((name) => name in row);

/** Votes as a list or by voter, also as JSON text. */
const holdsVotes = (value: unknown): boolean => {
  const read = jsonIn(value);
  return Array.isArray(read) || isPlainObject(read);
};

type Vote = 0 | 1 | 2;

export const humanVotes: RowFormat = {
  name: 'human-votes',
  columns: '`prompt`, `response_1`, `response_2`, `labels` or `votes` of 1, 2 or 0 (a tie)',
  reads: ['prompt', ...firsts, ...seconds, ...votesColumns],
  recognise(row) {
    const [first, second] = [oneOf(row, firsts), oneOf(row, seconds)];
    const votes = oneOf(row, votesColumns);
    if (first === undefined || second === undefined || votes === undefined) return null;
    return holdsVotes(row[votes]) ? `the columns "${first}", "${second}" and "${votes}"` : null;
  },
  convert([row], reading): Example | null {
    const [column, ...names] = [votesColumns, firsts, seconds].map((one) =>
      oneColumn(row!, one, reading),
    ) as [string, string, string];
    const votes = votesIn(row!, column, reading);
    const prompt = [user(textIn(row!, 'prompt', reading))];
    const answers = names.map((name) => [assistant(textIn(row!, name, reading))]);
    if (votes.length === 0) return reading.skip('nobody voted');
    const [ties, first, second] = ([0, 1, 2] as const).map(
      (vote) => votes.filter((one) => one.vote === vote).length,
    ) as [number, number, number];
    const swapped = second > first;
    const [chosen, rejected] = swapped ? answers.toReversed() : answers;
    const most = Math.max(first, second);
    const models = has(row!, 'model_1', 'model_2') ? ['model_1', 'model_2'] : [];
    const own = ['prompt', ...names, ...votesColumns, ...models];
    return {
      kind: 'pair',
      prompt,
      chosen: chosen!,
      rejected: rejected!,
      scores: { label_probability: (most + ties / 2) / votes.length },
      votes: votes.map(({ person, vote }): PairVote => {
        const isChosen = (vote === 2) === swapped;
        return { person, vote: vote === 0 ? 'tie' : isChosen ? 'chosen' : 'rejected' };
      }),
      columns: {
        ...without(row!, own),
        ...modelsOf(row!, swapped),
        votes: { chosen: most, rejected: Math.min(first, second), ties },
      },
    };
  },
};

/** The models of both answers, by the names of the answers. */
function modelsOf(row: Fields, swapped: boolean): Fields {
  if (!has(row, 'model_1', 'model_2')) return {};
  const { model_1: first, model_2: second } = row;
  return swapped
    ? { model_chosen: second, model_rejected: first }
    : { model_chosen: first, model_rejected: second };
}

/** @throws DataError for a vote that is none; null is an abstention */
function votesIn(
  row: Fields,
  column: string,
  { fail }: Reading,
): { person: string | null; vote: Vote }[] {
  const read = jsonIn(row[column]);
  if (!holdsVotes(read)) {
    return fail(column, {
      expected: 'votes by voter, or a list of votes',
      found: describeValue(row[column]),
    });
  }
  const named = Array.isArray(read)
    ? read.map((vote, at) => [`[${at}]`, null, vote] as const)
    : Object.entries(read as Fields).map(([name, vote]) => [`.${name}`, name, vote] as const);
  return named.flatMap(([name, person, vote]) => {
    if (vote === null) return [];
    const found = String(plainNumbers(vote)).trim().toLowerCase();
    const known = found === 'tie' ? 0 : ['0', '1', '2'].indexOf(found);
    if (known >= 0) return [{ person, vote: known as Vote }];
    return fail(`${column}${name}`, {
      expected: '1 (the first answer is better), 2 (the second is) or 0 (a tie)',
      found: describeValue(vote),
    });
  });
}
