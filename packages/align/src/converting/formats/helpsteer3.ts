// HelpSteer3 (Wang et al. 2025, arXiv:2505.11475) and the preferences of HelpSteer2: two answers,
// and a number from -3 (the first is much better) to 3 (the second is).
import { describeValue } from '../../data/data-error.ts';
import { isNoValue } from '../../data/is-empty.ts';
import type { Example, Fields, Reading, RowFormat } from './example.ts';
import { promptOf } from './helpsteer.ts';
import {
  areMessages,
  askedBy,
  assistant,
  has,
  isBlank,
  listIn,
  messagesOf,
  numberIn,
  oneColumn,
  textIn,
  without,
} from './turns.ts';

const verdicts = ['overall_preference', 'preference_strength'];
const firsts = ['response1', 'response_1'];
const seconds = ['response2', 'response_2'];
const reasons = ['individual_preference', 'preference_statement', 'preference_elaboration'];

const oneOf = (row: Fields, names: readonly string[]): string | undefined =>
  names.find((name) => name in row);

export const helpSteer3: RowFormat = {
  name: 'helpsteer3',
  columns: '`context`, `response1`, `response2`, `overall_preference` from -3 to 3',
  reads: [...verdicts, ...firsts, ...seconds, ...reasons, 'context'],
  recognise(row) {
    const [verdict, first, second] = [verdicts, firsts, seconds].map((names) => oneOf(row, names));
    if (verdict === undefined || first === undefined || second === undefined) return null;
    return `the columns "${first}", "${second}" and "${verdict}"`;
  },
  convert([row], reading): Example | null {
    const [verdict, first, second] = [verdicts, firsts, seconds].map((names) =>
      oneColumn(row!, names, reading),
    ) as [string, string, string];
    const preference = numberIn(row![verdict]);
    if (preference === null || Math.abs(preference) > 3) {
      return reading.fail(verdict, {
        expected: 'a number from -3 (the first answer is better) to 3 (the second is)',
        found: describeValue(row![verdict]),
      });
    }
    const { context } = row!;
    const asked = isBlank(context) || isNoValue(context) ? 'prompt' : 'context';
    const prompt = contextOf(row!, asked, reading);
    const answers = [first, second].map((name) => [assistant(textIn(row!, name, reading))]);
    if (preference === 0) return reading.skip('neither answer is better');
    const [chosen, rejected] = preference < 0 ? answers : answers.toReversed();
    for (const name of reasons) {
      if (has(row!, name)) reading.drop(name, 'a pair has no reasons');
    }
    const own = [verdict, first, second, asked, ...reasons];
    return {
      kind: 'pair',
      prompt,
      chosen: chosen!,
      rejected: rejected!,
      scores: { margin: Math.abs(preference) },
      columns: without(row!, own),
    };
  },
};

function contextOf(row: Fields, field: 'context' | 'prompt', reading: Reading): readonly unknown[] {
  const list = listIn(row[field]);
  if (list === null || !areMessages(list))
    return promptOf(textIn(row, field, reading), field, reading);
  return askedBy(messagesOf(list, field, reading), field, reading);
}
