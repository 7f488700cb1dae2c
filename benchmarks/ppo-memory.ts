// Compares the peak memory of PPO with policy, reference, reward and critic on one base with
// supervised fine-tuning on the same rows with the same adapter and passes (if each prompt has one
// answer), and with PPO with four bases in memory. Also shows how PPO spends its time. Each runs in
// a separate process.
//   node benchmarks/ppo-memory.ts [--model folder-or-gguf] [--batches 2] [--prompts 8]
//     [--answers 1] [--tokens 48] [--threads 2]
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { resolveModel } from '@keel/model';
import type { Measured, MeasuredKind, MeasuredOptions } from './keel/ppo.ts';
import { jsonLines, pairsFrom } from './random-pairs.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'SmolLM2-135M-Instruct' },
    data: { type: 'string' },
    batches: { type: 'string', default: '2' },
    prompts: { type: 'string', default: '8' },
    answers: { type: 'string', default: '1' },
    tokens: { type: 'string', default: '48' },
    threads: { type: 'string', default: '2' },
    'micro-batch-tokens': { type: 'string', default: '1024' },
    checkpointing: { type: 'string', default: 'off,on' },
  },
});

const program = fileURLToPath(new URL('keel/ppo.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'keel-ppo-memory-'));
const inside = (name: string): string => join(folder, name);

function measure(kind: MeasuredKind, own: Partial<MeasuredOptions>): Measured {
  const options = { ...common, ...own };
  const text = execFileSync(process.execPath, [program, kind, JSON.stringify(options)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const measured = JSON.parse(text.trim().split('\n').at(-1)!) as Measured;
  process.stderr.write(`${kind}, ${(measured.peak_rss_bytes / 1e9).toFixed(2)} GB\n`);
  return measured;
}

const pairs = pairsFrom(values.data);
const common: MeasuredOptions = {
  model: values.model,
  folder,
  data: inside('pairs.jsonl'),
  reward: '',
  otherBase: '',
  batches: Number(values.batches),
  prompts: Number(values.prompts),
  answers: Number(values.answers),
  tokens: Number(values.tokens),
  threads: Number(values.threads),
  microBatchTokens: Number(values['micro-batch-tokens']),
  gradientCheckpointing: 'off',
};
try {
  writeFileSync(common.data, jsonLines(pairs));
  measure('reward', {});
  common.reward = join(folder, 'reward', 'final');
  writeFileSync(inside('prompts.jsonl'), jsonLines(pairs.map(({ prompt }) => ({ prompt }))));
  // The same weights under another path count as another model.
  const path = await resolveModel(values.model);
  common.otherBase = join(folder, basename(path));
  cpSync(path, common.otherBase, { recursive: true });
  writeFileSync(
    inside('own-base.yaml'),
    `type: model\npath: ${JSON.stringify(common.reward)}\nbase: ${JSON.stringify(common.otherBase)}\n`,
  );
  process.stdout.write(
    '| activations | | peak memory, GB | relative to SFT | s/batch | rollouts | reward | log-probabilities and values | update |\n|---|---|---|---|---|---|---|---|---|\n',
  );
  for (const checkpointing of values.checkpointing.split(',') as ('off' | 'on')[]) {
    const how = { data: inside('prompts.jsonl'), gradientCheckpointing: checkpointing };
    const ppo = measure('ppo', how);
    const four = measure('four models', { ...how, reward: inside('own-base.yaml') });
    // Fine-tune on the answers that PPO sampled.
    writeFileSync(inside('answers.jsonl'), answersOf(join(folder, 'ppo', 'samples.jsonl')));
    const sft = measure('sft', { ...how, data: inside('answers.jsonl') });
    const shown = { 'SFT with LoRA': sft, 'PPO, one base': ppo, 'PPO, four bases': four };
    for (const [name, found] of Object.entries(shown)) {
      const { peak_rss_bytes: peak, seconds_per_batch: seconds, shares } = found;
      const parts = shares
        ? [shares.rollout, shares.reward, shares.scoring, shares.update].map(percent)
        : ['', '', '', ''];
      const cells = [
        checkpointing === 'off' ? 'kept' : 'computed again',
        name,
        (peak / 1e9).toFixed(2),
        (peak / sft.peak_rss_bytes).toFixed(2),
        seconds.toFixed(2),
        ...parts,
      ];
      process.stdout.write(`| ${cells.join(' | ')} |\n`);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function percent(share: number): string {
  return `${Math.round(100 * share)}%`;
}

/** samples.jsonl as rows for supervised fine-tuning. */
function answersOf(path: string): string {
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  const rows = lines.map((line) => JSON.parse(line) as { prompt: unknown; completion: string });
  return jsonLines(
    rows.map(({ prompt, completion }) => ({
      prompt,
      completion: Array.isArray(prompt) ? [{ role: 'assistant', content: completion }] : completion,
    })),
  );
}
