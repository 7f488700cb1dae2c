// One measurement of benchmarks/ppo-memory.ts: node benchmarks/keel/ppo.ts <kind> '<options as
// JSON>'. Prints one JSON line.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fineTune, type RunHooks, trainPpo, trainReward } from '@keel/align';
import { generateAll, loadModel } from '@keel/model';

/** `four models`: reward, reference and critic each have their own base. */
export type MeasuredKind = 'reward' | 'sft' | 'ppo' | 'four models';

export interface MeasuredOptions {
  model: string;
  /** Folder for runs, which are named after their kind. */
  folder: string;
  data: string;
  reward: string;
  /** The same model under another path. */
  otherBase: string;
  /** Rollout batches, or the same number of optimizer steps of supervised fine-tuning. */
  batches: number;
  prompts: number;
  answers: number;
  tokens: number;
  threads: number;
  microBatchTokens: number;
  gradientCheckpointing: 'on' | 'off';
}

export interface Measured {
  peak_rss_bytes: number;
  /**
   * Seconds of a rollout batch with all of its steps, without the first; for supervised
   * fine-tuning, of one step.
   */
  seconds_per_batch: number;
  /** Shares of that time; only for PPO. */
  shares: { rollout: number; reward: number; scoring: number; update: number } | null;
}

const [kind, text] = process.argv.slice(2) as [MeasuredKind, string];
const asked = JSON.parse(text) as MeasuredOptions;
const { model, data, folder, prompts, answers, tokens, batches } = asked;
/** PPO's epochs over a batch. */
const epochs = 4;
const common = {
  ...{ model, data: [data], output: join(folder, kind), overwrite: true, saveSteps: null },
  ...{ lora: true, loraRank: 16, precision: 'bf16' as const, shuffle: false },
  threads: asked.threads,
  microBatchTokens: asked.microBatchTokens,
  gradientCheckpointing: asked.gradientCheckpointing,
};

const steps: { seconds: number; times: Record<string, number> }[] = [];
let last = 0;
const hooks: RunHooks = {
  onEvent(event) {
    const now = performance.now();
    if (event.type === 'start') {
      last = now;
      // Memory used and freed while loading does not count as training.
      writeFileSync('/proc/self/clear_refs', '5');
    }
    if (event.type !== 'step') return;
    steps.push({ seconds: (now - last) / 1000, times: event.metrics });
    last = now;
  },
};

const ppo = () =>
  trainPpo(
    {
      ...common,
      ...{ reward: asked.reward, batchSize: prompts, numGenerations: answers },
      ...{ maxNewTokens: tokens, minNewTokens: tokens },
      ...{ numIterations: epochs, maxSteps: epochs * batches },
    },
    hooks,
  );

switch (kind) {
  case 'reward':
    await trainReward({ ...common, batchSize: 4, maxSteps: 2 }, hooks);
    break;
  case 'sft':
    await fineTune({ ...common, batchSize: prompts * answers, maxSteps: batches }, hooks);
    break;
  case 'ppo':
    await ppo();
    break;
  case 'four models': {
    // Reference and critic compute on the policy's base anyway: their own bases only occupy memory.
    const held = await Promise.all([0, 1].map(() => loadModel(asked.otherBase, common)));
    for (const one of held) await generateAll(one, [[1]], { maxNewTokens: 2 });
    await ppo();
    for (const one of held) one.dispose();
  }
}

// VmHWM, which is reset when training starts; the process's maxRSS is not.
const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))![1];
const perBatch = kind === 'sft' || kind === 'reward' ? 1 : epochs;
const counted = steps.slice(perBatch);
const total = counted.reduce((sum, { seconds }) => sum + seconds, 0);
const shareOf = (...names: string[]): number =>
  counted.reduce(
    (sum, { times }) => sum + names.reduce((part, name) => part + (times[`time/${name}`] ?? 0), 0),
    0,
  ) / total;
const shares = {
  rollout: shareOf('rollout'),
  reward: shareOf('reward'),
  scoring: shareOf('old-log-probs', 'reference', 'values'),
};
const found: Measured = {
  peak_rss_bytes: 1024 * Number(peak),
  seconds_per_batch: (total / counted.length) * perBatch,
  shares:
    perBatch === 1
      ? null
      : { ...shares, update: 1 - shares.rollout - shares.reward - shares.scoring },
};
process.stdout.write(`${JSON.stringify(found)}\n`);
