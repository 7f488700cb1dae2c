import { type LabelPlan, runLabel } from '@keel/align';
import { comparesByRating } from '@keel/evaluate';
import { setThreads } from '@keel/torch';
import { openVerbJudge } from '../judging/open-verb-judge.ts';
import { labelDisplay } from '../labelling/label-display.ts';
import type { LabelVerbOptions } from '../options/label.ts';
import { runJob } from '../run-job.ts';
import { sayDryRun, type WorkPlan } from '../work-plan.ts';

export function run(options: LabelVerbOptions): Promise<number> {
  const { judge: _, clamp, threads, dryRun, json } = options;
  if (threads !== null) setThreads(threads);
  const display = labelDisplay(json);
  return runJob(display, { saving: 'saving the finished labels', dryRun }, async (hooks) => {
    const opened = await openVerbJudge({ ...options, rubric: null }, hooks.onNotice);
    await using judge = comparesByRating(opened);
    return await runLabel(
      { ...options, judge, clamp: clamp === null ? [0, 1] : [clamp[0]!, clamp[1]!] },
      {
        ...hooks,
        onPlan: (plan) => dryRun && sayDryRun(workPlan(plan, options), json),
        onProgress: ({ pairs, total }) => display.progress({ done: pairs, total }),
      },
    );
  });
}

function workPlan(plan: LabelPlan, { output, constitution }: LabelVerbOptions): WorkPlan {
  const { judge, pairs, done, principles, verdicts, human } = plan;
  const resumed = done > 0 ? `, ${done} of them are done` : '';
  const each =
    principles === 0 ? 'none: the judge is not asked in words' : `${principles} per pair`;
  return {
    verb: 'label',
    model: null,
    parts: {
      judge: { text: judge, data: judge },
      pairs: { text: `${pairs}${resumed}`, data: { all: pairs, done } },
      principles: {
        text: `${each} (${constitution ?? "Keel's own constitution"})`,
        data: { perPair: principles, constitution },
      },
      verdicts: { text: String(verdicts), data: verdicts },
      human: { text: human === 0 ? 'none' : `${human} pairs`, data: human },
      output: { text: output, data: output },
    },
  };
}
