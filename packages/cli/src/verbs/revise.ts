import { type RevisePlan, runRevise } from '@keel/align';
import { samplingOptions } from '../generating/sampling.ts';
import type { ReviseVerbOptions } from '../options/revise.ts';
import { reviseDisplay } from '../revising/revise-display.ts';
import { machineText } from '../training/run-plan-text.ts';
import { StopSignals } from '../training/stop-signals.ts';
import { sayDryRun, type WorkPlan } from '../work-plan.ts';

export async function run(options: ReviseVerbOptions): Promise<number> {
  const display = reviseDisplay(options.json);
  using stopping = new StopSignals((name) => display.say(`${name}: stopping`));
  try {
    const result = await runRevise(
      { ...options, sampling: samplingOptions(options) },
      {
        onPlan: (plan) => options.dryRun && sayDryRun(workPlan(plan, options), options.json),
        onProgress: (progress) => display.progress(progress),
        onNotice: (text) => display.say(text),
        signal: stopping.signal,
      },
    );
    display.close();
    if (options.dryRun) return 0;
    display.ended(result);
    return result.interrupted ? stopping.exitCode : 0;
  } finally {
    display.close();
  }
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
