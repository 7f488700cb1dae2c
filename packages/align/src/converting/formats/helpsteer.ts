// HelpSteer (Wang et al. 2023, arXiv:2311.09528) and HelpSteer2 (2024, arXiv:2406.08673): one rated
// answer per row. Answers to the same prompt are consecutive.
import { isDeepStrictEqual } from 'node:util';
import { describeValue } from '../../data/data-error.ts';
import type { Example, Fields, Reading, RowFormat } from './example.ts';
import { assistant, numberIn, textIn, user, without } from './turns.ts';

const aspects = ['helpfulness', 'correctness', 'coherence', 'complexity', 'verbosity'];

export const helpSteer: RowFormat = {
  name: 'helpsteer',
  aliases: ['helpsteer2'],
  columns:
    '`prompt`, `response`, ratings such as `helpfulness`; answers to a prompt follow each other',
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
    const prompt = promptOf(textIn(rows[0]!, 'prompt', reading));
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
        rows.map((row) => without(row, ['prompt', 'response', ...aspects])),
        reading,
      ),
    };
  },
};

/** Columns that all rows share. */
function shared(rows: readonly Fields[], { drop }: Reading): Fields {
  const columns: Fields = {};
  for (const [name, value] of Object.entries(rows[0]!)) {
    if (rows.every((row) => isDeepStrictEqual(row[name], value))) columns[name] = value;
    else drop(name, 'it differs between the answers to a prompt');
  }
  return columns;
}

/** HelpSteer2 marks the turns of a longer conversation with `<extra_id_1>` and the speaker. */
export function promptOf(text: string): object[] {
  const parts = text.split(/\n*<extra_id_1>(User|Assistant)\n/);
  const turns = [user(parts[0]!.trim())];
  for (let at = 1; at < parts.length; at += 2) {
    const said = parts[at + 1]!.trim();
    turns.push(parts[at] === 'User' ? user(said) : assistant(said));
  }
  return turns;
}
