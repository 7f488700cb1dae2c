// What a reader of a win rate should know before believing it.
import { orderWarning } from '@keel/align/judges';
import type { Proportion } from '@keel/statistics';
import type { Finding, JudgeCheck, JudgingSummary } from './summary-types.ts';
import { percent } from './words.ts';

/** Above this share of wins for one place, the order decides much of the verdict. */
const MOST_FIRST = 0.75;
/** Difference between the raw and the length-controlled win rate that needs a sentence. */
const LENGTH_GAP = 0.1;
/** Share of pairs without a verdict that is worth a warning. */
const MOST_FAILED = 0.05;

export function findingsOf(summary: Omit<JudgingSummary, 'findings'>): Finding[] {
  const { winRate, judged, pairs, orders } = summary;
  const found: Finding[] = [];
  if (winRate === null) {
    return [
      {
        code: 'no-verdicts',
        severity: 'serious',
        text: `The judge gave no verdict on any of the ${pairs} pairs, so there is no win rate.`,
      },
    ];
  }
  found.push(...coinFinding(summary.check));
  found.push(...orderFindings(orders));
  found.push(...lengthGap(summary, winRate));
  const [low, high] = winRate.interval;
  if (low <= 0.5 && high >= 0.5) {
    found.push({
      code: 'no-difference',
      severity: 'note',
      text: 'The interval of the win rate includes 50%: these verdicts do not show which model is better.',
    });
  }
  if (pairs - judged > MOST_FAILED * pairs) {
    found.push({
      code: 'failures',
      severity: 'warning',
      text: `${pairs - judged} of ${pairs} pairs have no verdict. They are not in the win rate, which may favour one side.`,
    });
  }
  if (summary.incomplete > 0) {
    found.push({
      code: 'incomplete',
      severity: 'warning',
      text: `${summary.incomplete} of ${pairs} verdicts are without a member of the panel, which could not be reached. The same command asks it again.`,
    });
  }
  const { flagged } = summary;
  if (flagged.rows > 0) {
    const without = flagged.winRateWithout;
    found.push({
      code: 'flagged',
      severity: 'warning',
      text:
        `${flagged.rows} pairs have a flagged answer.` +
        (without === null ? '' : ` Without these, the win rate is ${percent(without.value)}.`),
    });
  }
  return found;
}

/** A judge whose verdicts on labelled pairs may be guesses. */
export function coinFinding(check: Pick<JudgeCheck, 'accuracy'> | null): Finding[] {
  if (check === null || check.accuracy === null || check.accuracy.interval[0] > 0.5) return [];
  const { value, interval } = check.accuracy;
  return [
    {
      code: 'no-better-than-coin',
      severity: 'serious',
      text: `This judge is no better than a coin on the labelled pairs: its accuracy is ${percent(value)}, and the interval starts at ${percent(interval[0])}. Use another judge.`,
    },
  ];
}

/** What the two orders say about the judge. */
export function orderFindings({ agree, firstWins }: JudgingSummary['orders']): Finding[] {
  if (agree === null || firstWins === null) return [];
  const place = firstWins.value >= 0.5 ? 'first' : 'second';
  const share = Math.max(firstWins.value, 1 - firstWins.value);
  const warning = orderWarning(agree);
  if (warning !== null) {
    const places = `The ${place} place won ${percent(share)} of its verdicts.`;
    return [{ code: 'cannot-tell', severity: 'serious', text: `${warning} ${places}` }];
  }
  if (share <= MOST_FIRST) return [];
  return [
    {
      code: 'order-bias',
      severity: 'warning',
      text: `The answer in the ${place} place won ${percent(share)} of the verdicts. Averaging both orders removes this from the win rate, but such a judge overlooks differences.`,
    },
  ];
}

function lengthGap(
  { lengthControlled, lengths }: Omit<JudgingSummary, 'findings'>,
  winRate: Proportion,
): Finding[] {
  const { value } = lengthControlled;
  if (value === null || Math.abs(value - winRate.value) <= LENGTH_GAP) return [];
  const longer = lengths.b.characters > lengths.a.characters ? 'longer' : 'shorter';
  return [
    {
      code: 'length-gap',
      severity: 'note',
      text: `At equal lengths the win rate would be ${percent(value)} instead of ${percent(winRate.value)}: b's answers are ${longer} on average (${Math.round(lengths.b.characters)} and ${Math.round(lengths.a.characters)} characters), and the judge's verdicts depend on length.`,
    },
  ];
}
