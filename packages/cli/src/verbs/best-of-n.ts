import { runBestOfN } from '@keel/align';
import { type BestOfNPlan, readConstraint } from '@keel/align/config';
import { bestOfNDisplay } from '../best-of-n/best-of-n-display.ts';
import { samplingOptions } from '../generating/sampling.ts';
import type { BestOfNVerbOptions } from '../options/best-of-n.ts';
import { runJob } from '../run-job.ts';
import { machineText } from '../training/run-plan-text.ts';
import { sayDryRun, type WorkPlan } from '../work-plan.ts';

export function run(options: BestOfNVerbOptions): Promise<number> {
  const display = bestOfNDisplay(options);
  const { dryRun, json } = options;
  return runJob(display, { saving: 'saving the scored answers', dryRun }, (hooks) =>
    runBestOfN(
      {
        ...{ ...options, sampling: samplingOptions(options) },
        constraint: readConstraint(options),
      },
      {
        ...hooks,
        onPlan: (plan) => dryRun && sayDryRun(workPlan(plan, options), json),
        onProgress: (progress) => display.progress(progress),
        onWait: (seconds) => display.waiting(seconds),
      },
    ),
  );
}

function workPlan(plan: BestOfNPlan, options: BestOfNVerbOptions): WorkPlan {
  const { model, adapter, prompts, done, answers, reward, ...machine } = plan;
  const { maxNewTokens, temperature, output, write } = options;
  const left = prompts - done;
  const resumed = done > 0 ? `, ${done} of them are done` : '';
  return {
    verb: 'best-of-n',
    model,
    parts: {
      adapter: { text: adapter ?? 'none', data: adapter },
      prompts: { text: `${prompts}${resumed}`, data: { all: prompts, done } },
      sampling: {
        text: `${answers} answers to each prompt, ${left * answers} in all, at most ${maxNewTokens} tokens, temperature ${temperature}`,
        data: { generations: answers, answers: left * answers, maxNewTokens, temperature },
      },
      reward: { text: reward, data: { name: reward, spec: options.reward } },
      machine: { text: machineText(machine), data: machine },
      output: { text: `${output} (--write ${write})`, data: output },
    },
  };
}
