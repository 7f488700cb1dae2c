// The summary of a check as lines of a table: what the terminal and the report show.

import { usageText } from '../summary/usage-text.ts';
import { counted, ordersText, percent, rated } from '../summary/words.ts';
import type { CheckSummary } from './check-summary.ts';

type Line = [label: string, value: string];

/** A check of a judge against people's labels, as lines of a table. */
export function checkLines(summary: CheckSummary): Line[] {
  const { judge, accuracy, byOrder, kappa, calibration, people, orders, longerWins } = summary;
  const cost = usageText(summary.usage);
  const without = summary.judged < summary.pairs ? `, ${summary.judged} with a verdict` : '';
  const tied = summary.judged - summary.decided;
  return [
    ['judge', judge],
    ['labelled pairs', `${summary.pairs}${without}`],
    [
      'accuracy',
      accuracy === null
        ? 'none: no pair has both a verdict and an answer that most people prefer'
        : `${rated(accuracy)}${tied > 0 ? ` of ${summary.decided}; on the others people are tied` : ''}`,
    ],
    ...summary.categories.map(
      (one): Line => [`  ${one.category}`, `${rated(one.accuracy)} of ${one.pairs}`],
    ),
    ...(byOrder === null
      ? []
      : ([
          [
            'in each order',
            `${percent(byOrder.firstOrder.value)} and, swapped, ${percent(byOrder.swapped.value)}`,
          ],
          ['right in both', rated(byOrder.both)],
        ] as Line[])),
    ["Cohen's kappa", kappaText(kappa)],
    ...peopleLines(people),
    ...(calibration === null
      ? []
      : ([
          [
            'calibration error',
            `${calibration.error.value.toFixed(3)} (a calibrated judge: up to ${calibration.errorByChance.high.toFixed(3)})`,
          ],
          ['Brier score', `${calibration.brier.toFixed(3)} (a coin: 0.250)`],
        ] as Line[])),
    ['orders agree', ordersText(orders)],
    ...(orders.firstWins === null ? [] : [['first place wins', rated(orders.firstWins)] as Line]),
    [
      'longer answer wins',
      longerWins.judge === null || longerWins.people === null
        ? 'none: no decided pair has answers of different lengths'
        : `${rated(longerWins.judge)}, by people ${rated(longerWins.people)}`,
    ],
    ['ties', `${summary.ties.judge} by the judge, ${summary.ties.people} by people`],
    ...summary.failures.map(
      ({ reason, count, firstRow }): Line => [
        'no verdict',
        `${count}: ${reason} (first: row ${firstRow})`,
      ],
    ),
    ...(cost === null ? [] : [['asked with', cost] as Line]),
  ];
}

function peopleLines({ votes, accuracy, kappa }: CheckSummary['people']): Line[] {
  if (accuracy === null) return [];
  return [
    [
      'people',
      `${counted(votes, 'vote')} a pair; one agrees with the others on ${rated(accuracy)}`,
    ],
    ["people's Fleiss kappa", kappa === null ? 'undefined' : kappaText(kappa)],
  ];
}

function kappaText({ value, interval }: CheckSummary['kappa']): string {
  if (value === null || interval === null) {
    return 'undefined: the better answer is at the same place in all pairs';
  }
  const [low, high] = interval.map(decimals);
  return `${decimals(value)} [${low}, ${high}]`;
}

/** Two decimals; what rounds to zero has no sign. */
const decimals = (value: number): string => value.toFixed(2).replace(/^-(?=0\.00$)/, '');
