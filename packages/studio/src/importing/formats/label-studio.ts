// Exports of Label Studio: JSON (a task with its annotations) and JSON-MIN (a row for each
// annotation). Pairwise, Ranker, Choices, Rating and TextArea are read.
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
import {
  type Contents,
  contentsOf,
  fieldsOf,
  numberOf,
  ORIGINAL,
  originalOf,
  personOf,
  textOrNull,
} from './content.ts';
import type { TaskFormat, TaskReading } from './task-format.ts';
import { isPart, PartReader, SETTLED } from './verdict-parts.ts';
import { choiceNamed } from './words.ts';

export const labelStudio: TaskFormat = {
  name: 'label-studio',
  recognise: (row) =>
    isPlainObject(row.data) && (Array.isArray(row.annotations) || Array.isArray(row.predictions))
      ? '"data" with "annotations" (Label Studio JSON)'
      : null,
  read([row], reading): TaskInput {
    const data = row!.data as Fields;
    const item = itemOf(data, 'data', reading);
    const annotations: NamedVerdict[] = [];
    let gold: TaskInput['gold'] = null;
    let adjudication: NamedVerdict | null = null;
    const all = Array.isArray(row!.annotations) ? (row!.annotations as unknown[]) : [];
    for (const [at, one] of all.entries()) {
      const field = `annotations[${at}]`;
      if (!isPlainObject(one)) {
        return reading.fail(field, { expected: 'an annotation', found: describeValue(one) });
      }
      const skipped = one.was_cancelled === true;
      const verdict = skipped ? { choice: null } : resultOf(one.result, item, field, reading);
      const person = personOf(one.completed_by) ?? reading.person;
      if (!skipped && isSettled(one.result)) {
        adjudication = { ...verdict, person, at: textOrNull(one.created_at) };
        continue;
      }
      if (one.ground_truth === true) {
        gold = { choice: verdict.choice, ranks: verdict.ranks };
        continue;
      }
      annotations.push({
        ...verdict,
        person,
        seconds: numberOf(one.lead_time),
        at: textOrNull(one.created_at),
      });
    }
    if (Array.isArray(row!.predictions) && row!.predictions.length > 0)
      reading.drop('predictions', 'only verdicts of people are read');
    const { kind, prompt, answers } = item;
    return {
      ...{ kind, prompt, annotations, gold, adjudication, shown: kind === 'pair' },
      answers: answers.map((content) => ({ content })),
      columns: isPlainObject(row!.meta) ? row!.meta : {},
    };
  },
};

export const labelStudioMin: TaskFormat = {
  name: 'label-studio-min',
  recognise: (row) =>
    'annotation_id' in row && ('annotator' in row || 'lead_time' in row)
      ? 'the columns "annotation_id" and "annotator" (Label Studio JSON-MIN)'
      : null,
  read([row], reading): TaskInput {
    const item = itemOf(row!, undefined, reading);
    const { kind, prompt, answers, names } = item;
    const own = new Set([...names, 'prompt', ORIGINAL, 'id', 'annotator', 'annotation_id']);
    for (const name of ['lead_time', 'created_at', 'updated_at']) own.add(name);
    const columns: Fields = {};
    let verdict: Verdict = { choice: null };
    let settled = false;
    const reader = new PartReader(names);
    for (const [name, value] of Object.entries(row!)) {
      if (own.has(name)) continue;
      if (name === SETTLED) settled = value !== null && value !== '';
      else if (!isPart(name, names)) {
        const found = verdictIn(value, item);
        if (found === null) columns[name] = value;
        else verdict = { ...verdict, ...found };
      } else if (!reader.add(name, value) && !isEmptyPart(value)) columns[name] = value;
    }
    const whole = { ...verdict, ...reader.parts };
    const given: NamedVerdict = {
      ...checked(whole, item, undefined, reading),
      person: personOf(row!.annotator) ?? reading.person,
      at: textOrNull(row!.created_at),
    };
    return {
      ...{ kind, prompt, columns, shown: kind === 'pair' },
      answers: answers.map((content) => ({ content })),
      annotations: settled ? [] : [{ ...given, seconds: numberOf(row!.lead_time) }],
      adjudication: settled ? given : null,
    };
  },
};

interface Item extends Contents {
  kind: TaskKind;
  /** What the file calls the answers. */
  names: readonly string[];
}

function itemOf(data: Fields, field: string | undefined, reading: TaskReading): Item {
  const list = itemList(data);
  const original = originalOf(data[ORIGINAL], reading);
  if (list !== null) {
    const [name, items] = list;
    const names = items.map(({ id }) => String(id));
    const texts = items.map(({ body, html, title }) => body ?? html ?? title);
    const where = field === undefined ? name : `${field}.${name}`;
    const contents = original ?? contentsOf(data.prompt ?? '', texts, where, reading);
    return { kind: 'ranking', names, ...contents };
  }
  const { prompt, answers: names } = fieldsOf(data, field ?? 'data', reading);
  const where = field === undefined ? names[0]! : `${field}.${names[0]}`;
  const texts = names.map((name) => data[name]);
  const contents = original ?? contentsOf(data[prompt], texts, where, reading);
  const kinds: readonly TaskKind[] = ['thumb', 'pair'];
  return { kind: kinds[names.length - 1] ?? 'ranking', names, ...contents };
}

/** The items of a Ranker: a list of {id, title, body}. */
function itemList(data: Fields): [name: string, items: Fields[]] | null {
  for (const [name, value] of Object.entries(data)) {
    const isItem = (one: unknown): boolean => isPlainObject(one) && 'id' in one && !('role' in one);
    if (Array.isArray(value) && value.length > 1 && value.every(isItem)) return [name, value];
  }
  return null;
}

/** @throws DataError for a result without a verdict */
function resultOf(result: unknown, item: Item, field: string, reading: TaskReading): Verdict {
  let verdict: Verdict = { choice: null };
  const reader = new PartReader(item.names);
  for (const one of Array.isArray(result) ? (result as unknown[]) : []) {
    if (!isPlainObject(one) || !isPlainObject(one.value) || one.from_name === SETTLED) continue;
    const { type, value } = one;
    const name = String(one.from_name);
    if (type !== 'rating' && type !== 'number' && type !== 'textarea') {
      verdict = { ...verdict, ...verdictIn(value, item) };
      continue;
    }
    const given = type === 'textarea' ? value.text : value[type];
    const own = isPart(name, item.names);
    if (isEmptyPart(given) || (own && reader.add(name, given))) continue;
    // Without the names of Keel's own exports, stars are the strength and texts a comment. A number
    // can be anything.
    const { comment } = reader.parts;
    const read =
      (type === 'rating' && !own && reader.add('strength', given)) ||
      (type === 'textarea' && comment == null && reader.add('comment', given));
    if (!read) reading.drop(name, 'it is no part of a verdict');
  }
  return checked({ ...verdict, ...reader.parts }, item, `${field}.result`, reading);
}

/** Whether an annotation says that it settles the task. */
const isSettled = (result: unknown): boolean =>
  Array.isArray(result) && result.some((one) => isPlainObject(one) && one.from_name === SETTLED);

const isEmptyPart = (value: unknown): boolean =>
  value === null || value === '' || (Array.isArray(value) && value.length === 0);

function checked(
  verdict: Verdict,
  { kind, answers }: Item,
  field: string | undefined,
  { fail }: TaskReading,
): Verdict {
  if (verdict.choice === null) {
    return fail(field, {
      expected: `a verdict on a ${kind}: a Pairwise, Ranker or Choices value`,
      found: 'none that is known',
    });
  }
  const fault = verdictFault(kind, answers.length, verdict);
  return fault === null ? verdict : fail(field, { expected: 'a whole verdict', found: fault });
}

/** The verdict of a value: its own form in JSON, a plain one in JSON-MIN. */
function verdictIn(value: unknown, item: Item): Verdict | null {
  if (isPlainObject(value)) {
    if (typeof value.selected === 'string') return verdictIn(value.selected, item);
    if (Array.isArray(value.choices)) return verdictIn(value.choices[0], item);
    return ranksOf(isPlainObject(value.ranker) ? value.ranker : value, item);
  }
  if (typeof value !== 'string' || item.kind === 'ranking') return null;
  const choice = choiceNamed(value, item.kind, item.names);
  return choice === null ? null : { choice };
}

/** Items in one bucket are in order; buckets named "rank 1", "rank 2" have items of equal rank. */
function ranksOf(buckets: Fields, { kind, names }: Item): Verdict | null {
  const lists = Object.entries(buckets).filter(([, items]) => Array.isArray(items));
  if (kind !== 'ranking' || lists.length === 0) return null;
  const ranked = lists.every(([name]) => /^rank \d+$/.test(name));
  const rankOf = new Map<string, number>();
  for (const [name, items] of lists)
    for (const id of items as unknown[])
      rankOf.set(String(id), ranked ? Number(name.slice(5)) : rankOf.size + 1);
  // An item that the person left out has no rank, which the check reports.
  const ranks = names.flatMap((name) => rankOf.get(name) ?? []);
  return { choice: 'ranked', ranks: denseRanks(ranks) };
}
