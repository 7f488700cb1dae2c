// Records of Argilla 2, as records.to_list() writes them: {id, fields, metadata, responses
// {question: [{value, user_id}]}}. Label and ranking questions are read.
import type { Fields } from '@keel/align/converting';
import { describeValue } from '@keel/align/data';
import { isPlainObject } from '@keel/model/exact-json';
import {
  denseRanks,
  type NamedVerdict,
  type TaskInput,
  type Verdict,
  verdictFault,
} from '../../store/items.ts';
import type { TaskKind } from '../../store/schema.ts';
import { contentsOf, fieldsOf, numberOf, ORIGINAL, originalOf, personOf } from './content.ts';
import type { TaskFormat, TaskReading } from './task-format.ts';
import { isPart, PartReader, SETTLED, type VerdictParts } from './verdict-parts.ts';
import { choiceNamed } from './words.ts';

export const argilla: TaskFormat = {
  name: 'argilla',
  recognise: (row) =>
    isPlainObject(row.fields) && ('responses' in row || 'suggestions' in row)
      ? '"fields" with "responses" (Argilla 2)'
      : null,
  read([row], reading): TaskInput {
    const fields = row!.fields as Fields;
    const metadata = isPlainObject(row!.metadata) ? row!.metadata : {};
    const { prompt, answers: names } = fieldsOf(fields, 'fields', reading);
    const contents =
      originalOf(metadata[ORIGINAL], reading) ??
      contentsOf(
        fields[prompt],
        names.map((name) => fields[name]),
        `fields.${names[0]}`,
        reading,
      );
    const responses = isPlainObject(row!.responses) ? row!.responses : {};
    const question = questionOf(responses, names, reading);
    const list = question === null ? [] : (responses[question] as unknown[]);
    const kinds: readonly TaskKind[] = ['thumb', 'pair'];
    const ranked =
      names.length > 2 ||
      [list, responses[SETTLED]].flat().some((one) => isPlainObject(one) && isRanking(one.value));
    const kind = ranked && names.length > 1 ? 'ranking' : kinds[names.length - 1]!;
    // The question that has the verdicts is no part, whatever its name.
    const others = Object.entries(responses).filter(([name]) => name !== question);
    const parts = partsOf(Object.fromEntries(others), names, '', reading.person);
    const annotations = list.flatMap((one, at): NamedVerdict[] => {
      const field = `responses.${question}[${at}]`;
      if (!isPlainObject(one))
        return reading.fail(field, { expected: 'a response', found: describeValue(one) });
      if (one.status === 'draft') return [];
      const person = personOf(one.user_id) ?? reading.person;
      if (one.status === 'discarded') return [{ person, choice: null }];
      const verdict = verdictOf(one.value, kind, names, field, reading);
      return [{ person, ...verdict, ...parts.get(person) }];
    });
    const adjudication = settledBy(responses, kind, names, reading);
    const { [ORIGINAL]: _, ...columns } = metadata;
    if (isPlainObject(row!.suggestions) && Object.keys(row!.suggestions).length > 0)
      reading.drop('suggestions', 'only verdicts of people are read');
    return {
      ...{ kind, prompt: contents.prompt, annotations, adjudication, columns },
      shown: kind === 'pair',
      answers: contents.answers.map((content) => ({ content })),
    };
  },
};

const isRanking = (value: unknown): value is unknown[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((one) => isPlainObject(one) && 'rank' in one);

/** The question that has the verdicts; null if nobody answered. */
function questionOf(
  responses: Fields,
  names: readonly string[],
  { question, fail }: TaskReading,
): string | null {
  // Records that nobody answered have no responses.
  if (question !== null) return Array.isArray(responses[question]) ? question : null;
  const found = Object.entries(responses).filter(
    ([name, list]) => Array.isArray(list) && !isPart(name, names),
  );
  const kind = names.length === 1 ? 'thumb' : 'pair';
  const fits = (one: unknown): boolean =>
    isPlainObject(one) &&
    (isRanking(one.value) ||
      (typeof one.value === 'string' && choiceNamed(one.value, kind, names) !== null));
  const fitting = found.filter(([, list]) => (list as unknown[]).some(fits));
  if (fitting.length <= 1 && (fitting.length === 1 || found.length === 0))
    return fitting[0]?.[0] ?? null;
  if (fitting.length === 0) {
    const skipped = found.find(([, list]) =>
      (list as unknown[]).every(
        (one) => isPlainObject(one) && one.status !== 'submitted' && one.value == null,
      ),
    );
    if (skipped !== undefined) return skipped[0];
  }
  return fail('responses', {
    expected: 'one question whose answers are verdicts',
    found:
      fitting.length === 0
        ? `none among ${found.map(([name]) => name).join(', ')}`
        : fitting.map(([name]) => name).join(' and '),
    advice: 'Name it with --question',
  });
}

function verdictOf(
  value: unknown,
  kind: TaskKind,
  names: readonly string[],
  field: string,
  { fail }: TaskReading,
): Verdict {
  const verdict = readVerdict(value, kind, names);
  if (verdict === null) {
    return fail(`${field}.value`, {
      expected: `a verdict on ${names.join(', ')}`,
      found: describeValue(value),
    });
  }
  const fault = verdictFault(kind, names.length, verdict);
  return fault === null
    ? verdict
    : fail(`${field}.value`, { expected: 'a whole verdict', found: fault });
}

function readVerdict(value: unknown, kind: TaskKind, names: readonly string[]): Verdict | null {
  if (isRanking(value)) {
    const rankOf = new Map(
      (value as Fields[]).map((one) => [String(one.value), numberOf(one.rank)]),
    );
    const ranks = names.flatMap((name) => rankOf.get(name) ?? []);
    return { choice: 'ranked', ranks: denseRanks(ranks) };
  }
  if (typeof value !== 'string' || kind === 'ranking') return null;
  const choice = choiceNamed(value, kind, names);
  return choice === null ? null : { choice };
}

/**
 * Ratings, better answers, strengths and comments by person.
 * @param prefix begins the names of their questions
 */
function partsOf(
  responses: Fields,
  names: readonly string[],
  prefix: string,
  somebody: string,
): ReadonlyMap<string, VerdictParts> {
  const readers = new Map<string, PartReader>();
  for (const [question, list] of Object.entries(responses)) {
    if (!question.startsWith(prefix) || !Array.isArray(list)) continue;
    for (const one of list as unknown[]) {
      if (!isPlainObject(one) || one.status === 'draft') continue;
      const person = personOf(one.user_id) ?? somebody;
      const reader = readers.get(person) ?? new PartReader(names);
      if (reader.add(question.slice(prefix.length), one.value)) readers.set(person, reader);
    }
  }
  return new Map([...readers].map(([person, { parts }]) => [person, parts]));
}

/** The last verdict that settles the record; null if there is none. */
function settledBy(
  responses: Fields,
  kind: TaskKind,
  names: readonly string[],
  reading: TaskReading,
): NamedVerdict | null {
  const list = responses[SETTLED];
  if (!Array.isArray(list)) return null;
  const given = (list as unknown[]).flatMap((one, at) =>
    isPlainObject(one) && one.status !== 'draft' && one.status !== 'discarded' ? [{ one, at }] : [],
  );
  const last = given.at(-1);
  if (last === undefined) return null;
  const person = personOf(last.one.user_id) ?? reading.person;
  const field = `responses.${SETTLED}[${last.at}]`;
  const verdict = verdictOf(last.one.value, kind, names, field, reading);
  const parts = partsOf(responses, names, `${SETTLED}-`, reading.person);
  return { person, ...verdict, ...parts.get(person) };
}
