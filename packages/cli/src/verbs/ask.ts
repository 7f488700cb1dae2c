import { type AskPlan, type AskResult, type AskSummary, runAsk } from '@keel/align';
import { setThreads } from '@keel/torch';
import { jobDisplay } from '../job-display.ts';
import type { AskVerbOptions } from '../options/ask.ts';
import { runJob } from '../run-job.ts';
import { shellWord } from '../shell-word.ts';
import { sayDryRun, type WorkPlan } from '../work-plan.ts';

export function run(options: AskVerbOptions): Promise<number> {
  const { threads, dryRun, json } = options;
  if (threads !== null) setThreads(threads);
  const display = jobDisplay<AskResult>(json, {
    unit: 'prompts',
    lines: ({ summary }) => linesOf(summary!),
    advice,
  });
  return runJob(display, { saving: 'stopping without a result', dryRun }, (hooks) =>
    runAsk(options, {
      ...hooks,
      onPlan: (plan) => dryRun && sayDryRun(workPlan(plan, options), json),
      onProgress: (progress) => display.progress(progress),
    }),
  );
}

const byName = {
  disagreement: 'disagreement of the members (deviation of the gap, log-odds)',
  information: 'information about the members (nats)',
  uncertainty: 'uncertainty p(1 - p)',
};

function linesOf(summary: AskSummary): [string, string][] {
  const { rows, random, prompts, single, labelled, unreadable, by, mean } = summary;
  const lines: [string, string][] = [
    ['pairs', `${rows}, ${random} of them random`],
    ['prompts', String(prompts)],
    ['chosen by', byName[by]],
    ['its mean', `${mean.all.toPrecision(3)} of all pairs`],
  ];
  if (mean.chosen !== null) lines.push(['', `${mean.chosen.toPrecision(3)} of those chosen by it`]);
  if (single > 0) lines.push(['left out', `${single} prompts without two different answers`]);
  if (labelled > 0) lines.push(['left out', `${labelled} pairs that have a label`]);
  if (unreadable > 0) lines.push(['left out', `${unreadable} answers that are too long`]);
  return lines;
}

function advice({ output, summary }: AskResult): string[] {
  const rows = `\n${summary!.rows} rows: ${output}`;
  if (summary!.rows === 0) return [rows];
  const file = shellWord(output);
  return [rows, `Have a judge label them: npx keel label --data ${file} --judge judge.yaml`];
}

function workPlan({ prompts, pairs, members, by }: AskPlan, options: AskVerbOptions): WorkPlan {
  const { reward, count, randomShare, output } = options;
  return {
    verb: 'ask',
    model: null,
    parts: {
      reward: {
        text: `${reward.join(', ')}: ${members === 1 ? 'one model' : `${members} members`}`,
        data: { reward, members },
      },
      pairs: { text: `${pairs} of ${prompts} prompts`, data: { pairs, prompts } },
      asked: {
        text: `at most ${count}, ${Math.round(count * randomShare)} of them random, the others by ${by}`,
        data: { count, randomShare, by },
      },
      output: { text: output, data: output },
    },
  };
}
