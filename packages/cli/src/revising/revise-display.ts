import type { ReviseResult, RevisionSummary } from '@keel/align';
import { type JobDisplay, jobDisplay } from '../job-display.ts';
import { cutOffLines, trainLines } from '../training/train-command.ts';

/** Shows the progress and the result of critique and revision. */
export const reviseDisplay = (json: boolean): JobDisplay<ReviseResult> =>
  jobDisplay(json, { unit: 'prompts', lines: ({ summary }) => summaryLines(summary!), advice });

function advice({ output, summary }: ReviseResult): string[] {
  const { supervised, preferences, cutOff } = summary!;
  const [sft, pairs] = ['sft.jsonl', 'preferences.jsonl'].map((file) => `${output}/${file}`);
  return [
    `\n${output}: sft.jsonl (${supervised} rows), preferences.jsonl (${preferences} rows), lineage.jsonl`,
    ...trainLines('Train on the revisions:', 'sft', sft!, { rows: supervised, cutOff: 0 }),
    ...trainLines('Or on the preferences:', 'dpo', pairs!, { rows: preferences, cutOff }),
    ...cutOffLines({ rows: preferences, cutOff }),
    ...(supervised === 0
      ? [
          'No critique or revision could be used. Read lineage.jsonl; a larger --critic usually helps.',
        ]
      : []),
  ];
}

function summaryLines(summary: RevisionSummary): [string, string][] {
  const { prompts, failed, rounds, dropped, length } = summary;
  const all = Object.values(rounds).reduce((sum, count) => sum + count, 0);
  const lines: [string, string][] = [['prompts', String(prompts)]];
  for (const [why, count] of Object.entries(failed)) lines.push(['no answer', `${count} (${why})`]);
  lines.push(['critiques', `${all}, of which`]);
  lines.push(['  revised', String(rounds.revised)]);
  lines.push(['  nothing to change', String(rounds['nothing to change'])]);
  for (const [why, count] of Object.entries(dropped).sort(([, a], [, b]) => b - a)) {
    lines.push([`  dropped`, `${count} (${why})`]);
  }
  if (length !== null) {
    const { answer, final } = length;
    lines.push([
      'mean length',
      `${answer.toFixed(0)} characters before, ${final.toFixed(0)} after`,
    ]);
  }
  return lines;
}
