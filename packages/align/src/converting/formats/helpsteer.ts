// HelpSteer (Wang et al. 2023, arXiv:2311.09528) and HelpSteer2 (2024, arXiv:2406.08673): one rated
// answer per row. Answers to the same prompt are consecutive.
import { isDeepStrictEqual } from 'node:util';
import { describeValue } from '../../data/data-error.ts';
import { belongsToPrompt } from '../../data/known-columns.ts';
import type { Example, Fields, Reading, RowFormat } from './example.ts';
import { askedBy, assistant, numberIn, textIn, user, without } from './turns.ts';

const aspects = ['helpfulness', 'correctness', 'coherence', 'complexity', 'verbosity'];

export const helpSteer: RowFormat = {
  name: 'helpsteer',
  aliases: ['helpsteer2'],
  columns:
    '`prompt`, `response`, ratings such as `helpfulness`; answers to a prompt follow each other',
  reads: ['prompt', 'response', ...aspects],
  recognise: (row) =>
    ['prompt', 'response', 'helpfulness'].every((name) => name in row)
      ? 'the columns "prompt", "response" and "helpfulness"'
      : null,
  groupBy: ({ prompt }) => (typeof prompt === 'string' ? prompt : null),
  convert(rows, reading): Example | null {
    const name = reading.score ?? 'helpfulness';
    const scores = rows.map((row) => {
      const score = numberIn(row[name]);
      if (score !== null) return score;
      const expected = `a number, by which answers are compared`;
      return reading.fail(name, { expected, found: describeValue(row[name]) });
    });
    const prompt = promptOf(textIn(rows[0]!, 'prompt', reading), 'prompt', reading);
    const answers = rows.map((row) => [assistant(textIn(row, 'response', reading))]);
    if (rows.length < 2) return reading.skip('only one answer to its prompt');
    for (const aspect of aspects) {
      if (aspect !== name && rows.some((row) => row[aspect] !== undefined)) {
        reading.drop(aspect, `answers are compared by ${name} (--score)`);
      }
    }
    return {
      kind: 'ranking',
      prompt,
      completions: answers,
      order: { scores },
      columns: shared(
        rows.map((row) => without(row, ['prompt', 'response', name, ...aspects])),
        reading,
      ),
    };
  },
};

/** Columns that all rows share. */
function shared(rows: readonly Fields[], { drop, fail }: Reading): Fields {
  const columns: Fields = {};
  for (const name of new Set(rows.flatMap(Object.keys))) {
    const values = rows.map((row) => row[name]);
    const value = values[0];
    if (values.every((one) => isDeepStrictEqual(one, value))) columns[name] = value;
    else if (belongsToPrompt(name)) {
      fail(name, {
        expected: 'the same value for all answers to a prompt, since it is part of what is asked',
        found: describeValue(values.find((one) => !isDeepStrictEqual(one, value))),
        advice: 'Write answers to different prompts apart, or remove the column',
      });
    } else drop(name, 'it differs between the answers to a prompt');
  }
  return columns;
}

/**
 * HelpSteer2 marks the turns of a longer conversation with `<extra_id_1>` and the speaker.
 * @throws DataError for other marks, and for a conversation that ends with an answer
 */
export function promptOf(text: string, field: string, reading: Reading): readonly unknown[] {
  const parts = text.split(/\n*<extra_id_1>(User|Assistant)\n/);
  const strange = parts.find((part, at) => at % 2 === 0 && part.includes('<extra_id_'));
  if (strange !== undefined) {
    return reading.fail(field, {
      expected: 'turns that start with a line "<extra_id_1>User" or "<extra_id_1>Assistant"',
      found: describeValue(strange.slice(strange.indexOf('<extra_id_'))),
    });
  }
  const turns = [user(parts[0]!.trim())];
  for (let at = 1; at < parts.length; at += 2) {
    const said = parts[at + 1]!.trim();
    turns.push(parts[at] === 'User' ? user(said) : assistant(said));
  }
  return askedBy(turns, field, reading);
}
