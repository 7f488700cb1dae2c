import type { LabelPlan } from '@keel/align';
import { setThreads } from '@keel/torch';
import { labelDisplay } from '../labelling/label-display.ts';
import { labelled } from '../labelling/labelled.ts';
import type { LabelVerbOptions } from '../options/label.ts';
import { runJob } from '../run-job.ts';
import { sayDryRun, type WorkPlan } from '../work-plan.ts';

export function run(options: LabelVerbOptions): Promise<number> {
  const { threads, dryRun, json } = options;
  if (threads !== null) setThreads(threads);
  const display = labelDisplay(json, options.pairing);
  return runJob(display, { saving: 'saving the finished labels', dryRun }, async (hooks) => {
    return await labelled(options, {
      ...hooks,
      onPlan: (plan) => dryRun && sayDryRun(workPlan(plan, options), json),
      onProgress: ({ pairs, total }) => display.progress({ done: pairs, total }),
    });
  });
}

function workPlan(plan: LabelPlan, { output, constitution, pairing }: LabelVerbOptions): WorkPlan {
  const { judge, pairs, done, principles, verdicts, human } = plan;
  const resumed = done > 0 ? `, ${done} of them are done` : '';
  const best = pairing === 'best-worst';
  const none = best ? 'answers are rated one by one' : 'this judge is asked without them';
  const each =
    principles === 0
      ? `none: ${none}`
      : `${principles} per pair (${constitution ?? "Keel's own constitution"})`;
  return {
    verb: 'label',
    model: null,
    parts: {
      judge: { text: judge, data: judge },
      pairs: {
        text: `${best ? `up to ${pairs}, of the best and the worst answer` : pairs}${resumed}`,
        data: { all: pairs, done, pairing },
      },
      principles: { text: each, data: { perPair: principles, constitution } },
      verdicts: { text: `${verdicts}${best ? ' ratings' : ''}`, data: verdicts },
      human: { text: human === 0 ? 'none' : `${human} pairs`, data: human },
      output: { text: output, data: output },
    },
  };
}
