import { runBestOfN } from '@keel/align';
import type { BestOfNPlan } from '@keel/align/config';
import { bestOfNDisplay } from '../best-of-n/best-of-n-display.ts';
import { samplingOptions } from '../generating/sampling.ts';
import type { BestOfNVerbOptions } from '../options/best-of-n.ts';
import { machineText } from '../training/run-plan-text.ts';
import { StopSignals } from '../training/stop-signals.ts';
import { sayDryRun, type WorkPlan } from '../work-plan.ts';

export async function run(options: BestOfNVerbOptions): Promise<number> {
  const display = bestOfNDisplay(options);
  using stopping = new StopSignals((name) => display.say(`${name}: saving the scored answers`));
  try {
    const result = await runBestOfN(
      { ...options, sampling: samplingOptions(options) },
      {
        onPlan: (plan) => options.dryRun && sayDryRun(workPlan(plan, options), options.json),
        onProgress: (progress) => display.progress(progress),
        onWait: (seconds) => display.waiting(seconds),
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
