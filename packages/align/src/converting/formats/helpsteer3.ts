// HelpSteer3 (Wang et al. 2025, arXiv:2505.11475) and the preferences of HelpSteer2: two answers,
// and a number from -3 (the first is much better) to 3 (the second is).
import { describeValue } from '../../data/data-error.ts';
import type { Example, Fields, Reading, RowFormat } from './example.ts';
import { promptOf } from './helpsteer.ts';
import { assistant, has, listIn, messagesOf, numberIn, textIn, without } from './turns.ts';

const verdicts = ['overall_preference', 'preference_strength'];
const firsts = ['response1', 'response_1'];
const seconds = ['response2', 'response_2'];
const reasons = ['individual_preference', 'preference_statement', 'preference_elaboration'];

const oneOf = (row: Fields, names: readonly string[]): string | undefined =>
  names.find((name) => name in row);

export const helpSteer3: RowFormat = {
  name: 'helpsteer3',
  columns: '`context`, `response1`, `response2`, `overall_preference` from -3 to 3',
  recognise(row) {
    const [verdict, first, second] = [verdicts, firsts, seconds].map((names) => oneOf(row, names));
    if (verdict === undefined || first === undefined || second === undefined) return null;
    return `the columns "${first}", "${second}" and "${verdict}"`;
  },
  convert([row], reading): Example | null {
    const verdict = oneOf(row!, verdicts) ?? verdicts[0]!;
    const preference = numberIn(row![verdict]);
    if (preference === null) {
      return reading.fail(verdict, {
        expected: 'a number from -3 (the first answer is better) to 3 (the second is)',
        found: describeValue(row![verdict]),
      });
    }
    const prompt = contextOf(row!, reading);
    const answers = [firsts, seconds].map((names) => [
      assistant(textIn(row!, oneOf(row!, names) ?? names[0]!, reading)),
    ]);
    if (preference === 0) return reading.skip('neither answer is better');
    const [chosen, rejected] = preference < 0 ? answers : answers.toReversed();
    for (const name of reasons) {
      if (has(row!, name)) reading.drop(name, 'a pair has no reasons');
    }
    const own = [...verdicts, ...firsts, ...seconds, ...reasons, 'context', 'prompt'];
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

function contextOf(row: Fields, reading: Reading): unknown[] {
  const list = listIn(row.context);
  if (list !== null) return messagesOf(list, 'context', reading);
  return promptOf(textIn(row, typeof row.context === 'string' ? 'context' : 'prompt', reading));
}
