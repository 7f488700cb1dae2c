// Pairs with people's verdicts, in three forms: preference rows (chosen and rejected), two answers
// with the votes of several people, and two answers with one label (as in LLMBar).
import { basename, dirname, extname, resolve } from 'node:path';
import { DataError } from '@keel/align';
import { likelier, type Place, parseRow } from '@keel/align/data';
import { exactJson, isPlainObject, parseExactJson, plainNumbers } from '@keel/model/exact-json';
import { type ComparedPair, fieldsOfPair, type PairFields } from '../answers/compared-pair.ts';
import {
  assistantTurn,
  contentOf,
  promptPart,
  type ReadingOptions,
  readRows,
  userTurn,
} from '../answers/read-answers.ts';
import type { Winner } from '../verdicts/verdict-row.ts';

export interface LabelledPair extends ComparedPair {
  /** At least one. */
  votes: readonly Winner[];
}

/** Columns with the two answers, as different sources name them. */
const answerColumns = [
  ['response_1', 'response_2'],
  ['output_1', 'output_2'],
  ['completion_1', 'completion_2'],
  ['answer_1', 'answer_2'],
] as const;

const promptColumns = ['prompt', 'instruction', 'input'] as const;
const voteColumns = ['labels', 'votes', 'label', 'preference'] as const;

/**
 * Pairs of several files get the file's name as their category, or that of its folder where files
 * have the same name, unless the rows have one.
 * @param limit pairs of each file to use, from its start; null: all
 * @throws DataError for a file without rows, and for the first bad row unless bad rows are skipped
 */
export async function readLabels(
  files: readonly string[],
  reading: ReadingOptions,
  fields: PairFields = {},
  limit: number | null = null,
): Promise<LabelledPair[]> {
  const read = (row: Record<string, unknown>, place: Place): Omit<LabelledPair, 'row'> =>
    'chosen' in row || 'rejected' in row
      ? preferencePair(row, place, fields)
      : votedPair(row, place, fields);
  const pairs: Omit<LabelledPair, 'row'>[] = [];
  const names = namesOf(files);
  for (const [at, file] of files.entries()) {
    const found = await readRows([file], read, { ...reading, votes: true });
    for (const pair of found.slice(0, limit ?? found.length)) {
      pairs.push({ ...pair, category: pair.category ?? (files.length > 1 ? names[at]! : null) });
    }
  }
  return pairs.map((pair, row) => ({ ...pair, row }));
}

/** Files by their names; those of one name, such as LLMBar's dataset.json, by their folders. */
function namesOf(files: readonly string[]): readonly string[] {
  const forms = [
    files.map((file) => basename(file, extname(file))),
    files.map((file) => basename(dirname(resolve(file)))),
  ];
  return forms.find((names) => new Set(names).size === names.length) ?? files;
}

function preferencePair(
  fields: Record<string, unknown>,
  place: Place,
  named: PairFields,
): Omit<LabelledPair, 'row'> {
  const row = parseRow('preference', fields, place);
  const { prompt, chosen, rejected, rendering, extra } = row;
  const direction = likelier(row.label_probability);
  return {
    ...fieldsOfPair(extra, place, named),
    ...{ prompt, extra, ...(rendering && { rendering }) },
    modelA: 'rejected',
    modelB: 'chosen',
    answers: [rejected, chosen],
    votes: [direction === 0 ? 'tie' : direction > 0 ? 'b' : 'a'],
  };
}

function votedPair(
  fields: Record<string, unknown>,
  place: Place,
  named: PairFields,
): Omit<LabelledPair, 'row'> {
  const columns = answerColumns.find(([first, second]) => first in fields && second in fields);
  const promptColumn = promptColumns.find((name) => name in fields);
  const voteColumn = voteColumns.find((name) => name in fields);
  if (columns === undefined || promptColumn === undefined || voteColumn === undefined) {
    throw new DataError({
      ...place,
      expected:
        '"chosen" and "rejected", or "prompt", two answers ("response_1", "response_2" or "output_1", "output_2") and "labels" or "label" (1, 2, or 0 for a tie)',
      found: `the fields ${Object.keys(fields).join(', ')}`,
    });
  }
  const votes = votesOf(fields[voteColumn], voteColumn, place);
  // A label is of the pair: left in the row, it would tell a judge that reads fields the answer.
  const hidden = new Set<string>([...columns, promptColumn, voteColumn, 'judges', 'labels']);
  const others = Object.fromEntries(Object.entries(fields).filter(([name]) => !hidden.has(name)));
  const asked = fields[promptColumn];
  const prompt = typeof asked === 'string' ? userTurn(asked) : asked;
  const row = { ...others, prompt };
  const part = promptPart(row, place);
  const answers = columns.map((name) => {
    const value = scalarText(fields[name]);
    return typeof value === 'string' ? assistantTurn(value) : contentOf(value, name, row, place);
  });
  const nameOf = (side: 1 | 2): string =>
    typeof others[`model_${side}`] === 'string'
      ? (others[`model_${side}`] as string)
      : columns[side - 1]!;
  return {
    ...fieldsOfPair(part.extra, place, named),
    ...part,
    modelA: nameOf(1),
    modelB: nameOf(2),
    answers: [answers[0]!, answers[1]!],
    votes,
  };
}

/** An answer such as `true` or `42`, which some writers of JSON make of a text. */
const scalarText = (value: unknown): unknown =>
  ['boolean', 'number', 'bigint'].includes(typeof value) ? String(value) : value;

const words: Readonly<Record<string, Winner>> = {
  '1': 'a',
  '2': 'b',
  '0': 'tie',
  '1.5': 'tie',
  tie: 'tie',
};

function jsonIn(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return parseExactJson(text);
  } catch {
    return text;
  }
}

/** One vote, a list, or an object with a vote by each person; null: this person gave none. */
function votesOf(value: unknown, field: string, place: Place): Winner[] {
  // A cell of CSV has a list or an object as JSON text.
  const plain = plainNumbers(typeof value === 'string' ? jsonIn(value) : value);
  const given = isPlainObject(plain) ? Object.entries(plain) : [plain].flat().entries();
  const votes = [...given].flatMap(([person, vote]) => {
    if (vote === null) return [];
    const read = words[String(vote).trim().toLowerCase()];
    if (read !== undefined) return [read];
    throw new DataError({
      ...place,
      field: plain === vote ? field : `${field}.${person}`,
      expected: '1 or 2 for the better answer, or 0 for a tie',
      found: exactJson(vote),
    });
  });
  if (votes.length > 0) return votes;
  throw new DataError({ ...place, field, expected: 'at least one vote', found: 'none' });
}

/** The verdict of most people; a tie where none has most. */
export function majorityOf(votes: readonly Winner[]): Winner {
  const counts = (['a', 'b', 'tie'] as const).map((winner) => ({
    winner,
    count: votes.filter((vote) => vote === winner).length,
  }));
  const most = Math.max(...counts.map(({ count }) => count));
  const first = counts.filter(({ count }) => count === most);
  return first.length === 1 ? first[0]!.winner : 'tie';
}
