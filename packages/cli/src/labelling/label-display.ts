import type { LabelResult, LabelSummary } from '@keel/align';
import { orderWarning } from '@keel/align/judges';
import { type JobDisplay, jobDisplay } from '../job-display.ts';
import type { LabelVerbOptions } from '../options/label.ts';
import { cutOffLines, trainLines } from '../training/train-command.ts';

/** What a job of labelling works through. */
export const labelUnit = (pairing: LabelVerbOptions['pairing']): 'pairs' | 'prompts' =>
  pairing === 'best-worst' ? 'prompts' : 'pairs';

/** Shows the progress and the result of labelling. */
export const labelDisplay = (
  json: boolean,
  pairing: LabelVerbOptions['pairing'],
): JobDisplay<LabelResult> =>
  jobDisplay(json, {
    unit: labelUnit(pairing),
    lines: ({ summary }) => summaryLines(summary!),
    advice,
  });

function advice({ output, summary }: LabelResult): string[] {
  const { ordersAgree, rows } = summary!;
  const warning = ordersAgree && orderWarning(ordersAgree);
  return [
    ...(warning === null
      ? []
      : [`\n${warning} \`npx keel judge --check\` compares judges with people.`]),
    `\n${rows} rows: ${output}`,
    ...trainLines('Align a model with them:', 'dpo', output, summary!),
    ...trainLines('Or train a reward model: ', 'reward', output, summary!),
    ...cutOffLines(summary!),
  ];
}

const counted = (prompts: number): string => `${prompts} prompt${prompts === 1 ? '' : 's'}`;

type Proportion = NonNullable<LabelSummary['human']>;

function summaryLines(summary: LabelSummary): [string, string][] {
  const { pairs, unlabelled, tied, single, failed, certainty, humanOnly, ratings, length } =
    summary;
  const lines: [string, string][] = [['pairs', String(pairs)]];
  if (single > 0) lines.push(['skipped', `${counted(single)} with fewer than two answers`]);
  if (unlabelled > 0) lines.push(['without a verdict', `${unlabelled} pairs`]);
  if (tied > 0) lines.push(['tied', `${counted(tied)} whose answers have the same rating`]);
  for (const [why, count] of Object.entries(failed)) {
    lines.push(['no verdict', `${count} (${why})`]);
  }
  if (ratings !== null) {
    const { all, chosen, rejected } = ratings;
    const pair =
      chosen === null ? '' : `, chosen ${chosen.toFixed(2)}, rejected ${rejected!.toFixed(2)}`;
    lines.push(['mean rating', `${all.toFixed(2)}${pair}`]);
  } else if (certainty !== null) {
    lines.push(['certainty', `${certainty.toFixed(2)} on average (0: undecided, 1: certain)`]);
  }
  const share = (name: string, one: Proportion | null): void => {
    if (one !== null) lines.push([name, shareText(one)]);
  };
  share('both orders agree', summary.ordersAgree);
  share('longer answer preferred', summary.longer);
  share('agrees with the data', summary.given);
  share('agrees with people', summary.human);
  if (length !== null) {
    const { chosen, rejected } = length;
    lines.push([
      'mean length',
      `${chosen.toFixed(0)} characters chosen, ${rejected.toFixed(0)} rejected`,
    ]);
  }
  if (humanOnly > 0) lines.push(['by people alone', `${humanOnly} rows`]);
  return lines;
}

const shareText = ({ value, count, interval: [low, high] }: Proportion): string =>
  `${percent(value)} of ${count} (95% interval: ${percent(low)} to ${percent(high)})`;

const percent = (share: number): string => `${(100 * share).toFixed(0)}%`;
