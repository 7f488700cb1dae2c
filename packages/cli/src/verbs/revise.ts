import { type RevisePlan, runRevise } from '@keel/align';
import { samplingOptions } from '../generating/sampling.ts';
import type { ReviseVerbOptions } from '../options/revise.ts';
import { reviseDisplay } from '../revising/revise-display.ts';
import { runJob } from '../run-job.ts';
import { machineText } from '../training/run-plan-text.ts';
import { sayDryRun, type WorkPlan } from '../work-plan.ts';

export function run(options: ReviseVerbOptions): Promise<number> {
  const { dryRun, json } = options;
  const display = reviseDisplay(json);
  return runJob(display, { saving: 'stopping; finished prompts are saved', dryRun }, (hooks) =>
    runRevise(
      { ...options, sampling: samplingOptions(options) },
      {
        ...hooks,
        onPlan: (plan) => dryRun && sayDryRun(workPlan(plan, options), json),
        onProgress: ({ prompts, total, current }) =>
          display.progress({ done: prompts, total, current }),
      },
    ),
  );
}

function workPlan(plan: RevisePlan, options: ReviseVerbOptions): WorkPlan {
  const { model, adapter, critic, reviser, constitution, rounds, prompts, done, ...machine } = plan;
  const { name, version, principles, examples } = constitution;
  const { maxNewTokens, temperature, output } = options;
  const resumed = done > 0 ? `, ${done} of them are done` : '';
  return {
    verb: 'revise',
    model,
    parts: {
      adapter: { text: adapter ?? 'none', data: adapter },
      prompts: { text: `${prompts}${resumed}`, data: { all: prompts, done } },
      critic: { text: critic, data: critic },
      reviser: { text: reviser, data: reviser },
      constitution: {
        text: `${name} ${version}, ${principles} principles, ${examples} examples`,
        data: constitution,
      },
      rounds: { text: `${rounds} critiques and revisions of each answer`, data: rounds },
      sampling: {
        text: `at most ${maxNewTokens} tokens, temperature ${temperature}`,
        data: { maxNewTokens, temperature },
      },
      machine: { text: machineText(machine), data: machine },
      output: { text: output, data: output },
    },
  };
}
