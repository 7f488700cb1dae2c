// A summary as lines of a table: what the terminal and the report show.

import type { FlagStatistics, JudgeCheck, JudgingSummary } from './summary-types.ts';
import { usageText } from './usage-text.ts';
import { counted, ordersText, rated, ratedOr } from './words.ts';

/**
 * A summary of verdicts as lines of a table.
 * @param asked whether the judge was asked: verdicts of a file do not say how right it is
 */
export function summaryLines(
  summary: JudgingSummary,
  asked = true,
): [label: string, value: string][] {
  const { winRate, lengthControlled, orders, longerWins, lengths, failures, rules } = summary;
  const { wins, losses, ties } = summary;
  const cost = usageText(summary.usage);
  const failed = summary.pairs - summary.judged;
  return [
    ['judge', summary.judge],
    ['a', summary.modelA],
    ['b', summary.modelB],
    ['pairs', pairsText(summary)],
    ['win rate of b', ratedOr(winRate, 'none: no pair has a verdict')],
    [
      'at equal lengths',
      lengthControlled.value === null ? `none: ${lengthControlled.why}` : rated(lengthControlled),
    ],
    ['b wins, loses, ties', `${wins}, ${losses}, ${ties}`],
    ...(asked ? [['judge is right', checkText(summary.check)] as [string, string]] : []),
    ['orders agree', ordersText(orders)],
    ...(orders.firstWins === null
      ? []
      : [['first place wins', rated(orders.firstWins)] as [string, string]]),
    [
      'longer answer wins',
      longerWins === null
        ? 'none: no decided pair has answers of different lengths'
        : `${rated(longerWins)} of ${counted(longerWins.count, 'decided pair')}`,
    ],
    ['mean length', `a ${lengthText(lengths.a)}, b ${lengthText(lengths.b)}`],
    ...rules.map(({ rule, count }): [string, string] => ['not asked', `${count}: ${rule}`]),
    ...(failed === 0
      ? []
      : failures.map(({ reason, count, firstRow }): [string, string] => [
          'no verdict',
          `${count}: ${reason} (first: row ${firstRow})`,
        ])),
    ...flagLines(summary.flagged),
    ...(cost === null ? [] : [['asked with', cost] as [string, string]]),
  ];
}

/** How right the judge is on labelled pairs. */
export function checkText(check: JudgeCheck | null): string {
  if (check === null) return 'not checked: pass labelled pairs with --check';
  const { accuracy, decided, pairs } = check;
  if (accuracy === null) return `not known: no verdict on ${counted(pairs, 'labelled pair')}`;
  return `${rated(accuracy)} of ${counted(decided, 'labelled pair')}`;
}

function pairsText({ pairs, judged, prompts }: JudgingSummary): string {
  const verdicts = judged === pairs ? '' : `, ${judged} with a verdict`;
  const fewer = prompts < judged ? `, ${counted(prompts, 'prompt')}` : '';
  return `${pairs}${verdicts}${fewer}`;
}

const lengthText = ({ characters, words }: JudgingSummary['lengths']['a']): string =>
  `${characters.toFixed(0)} characters (${words.toFixed(0)} words)`;

function flagLines({ flags, rows, winRateWithout }: FlagStatistics): [string, string][] {
  if (rows === 0) return [];
  const lines = flags.map(({ flag, a, b }): [string, string] => [
    'flagged',
    `${flag}: ${counted(a, 'answer')} of a, ${b} of b`,
  ]);
  return winRateWithout === null ? lines : [...lines, ['without flagged', rated(winRateWithout)]];
}
