// Tokens per second and utilisation of SFT and DPO with LoRA in bf16, on a llama-shaped model with
// random weights.
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alignPairs, fineTune } from '@keel/align';
import { measureMatmulPeak } from '@keel/align/internal';
import { freeMemory } from '@keel/torch';
import { type ChatPair, jsonLines, randomPairs } from '../../benchmarks/random-pairs.ts';
import { writeTinyChatModel } from '../../packages/align/src/testing/tiny-chat-model.ts';
import { gpuName, type PartOptions, type PartResult } from './parts.ts';

const sizes = {
  full: {
    ...{ hidden: 2048, intermediate: 8192, layers: 24, heads: 32, 'key-value-heads': 8 },
    ...{ vocabulary: 49_152, batchSize: 16, steps: 6 },
  },
  small: {
    ...{ hidden: 64, intermediate: 128, layers: 2, heads: 4, 'key-value-heads': 2 },
    ...{ vocabulary: 512, batchSize: 4, steps: 5 },
  },
};

/** Steps that also choose kernels and fill the allocator's cache. */
const WARM_UP = 2;

export const sftSpeed = (options: PartOptions): Promise<PartResult> =>
  measure(options, fineTune, ({ prompt, chosen }) => ({ prompt, completion: chosen }));

export const dpoSpeed = (options: PartOptions): Promise<PartResult> =>
  measure(options, alignPairs, (pair) => pair);

/** @param row what the method takes of a pair */
async function measure(
  { device, size, folder }: PartOptions,
  train: typeof alignPairs | typeof fineTune,
  row: (pair: ChatPair) => object,
): Promise<PartResult> {
  const { batchSize, steps, ...shape } = sizes[size];
  const model = writeModel(folder, shape);
  const data = join(folder, `${train.name}-rows.jsonl`);
  writeFileSync(data, jsonLines(randomPairs(batchSize * steps).map(row)));
  const { flops, size: rows } = measureMatmulPeak('bf16', { device, secondsPerSize: 0.3 });
  const found: { tokens: number; tokensPerSecond: number; mfu: number; free: number }[] = [];
  await train(
    {
      ...{ model, data, device: device as 'auto', precision: 'bf16', lora: true },
      ...{ output: join(folder, `${train.name}-run`), batchSize, maxSteps: steps },
      ...{ saveSteps: null, learningRate: 1e-5 },
    },
    {
      onEvent(event) {
        if (event.type !== 'step') return;
        const { tokens_per_second: tokensPerSecond = 0, mfu = 0 } = event.metrics;
        const { num_tokens: tokens = 0 } = event.metrics;
        found.push({ tokens, tokensPerSecond, mfu, free: freeMemory(device) });
      },
    },
  );
  const settled = found.slice(WARM_UP);
  const median = (of: (one: (typeof found)[number]) => number): number =>
    settled.map(of).sort((a, b) => a - b)[Math.floor(settled.length / 2)]!;
  const tokensPerSecond = Math.round(median((one) => one.tokensPerSecond));
  return {
    passed: found.length === steps && tokensPerSecond > 0,
    found: {
      ...{ gpu: gpuName(), model: shape, batchSize, tokensPerSecond },
      tokensPerStep: Math.round(found.at(-1)!.tokens / steps),
      // Of the fastest product of bf16 matrices that was measured.
      mfu: median((one) => one.mfu),
      matmul: { flops, rows },
      freeBytes: Math.min(...settled.map((one) => one.free)),
    },
  };
}

/** Its tokenizer is that of the tiny model: no files are needed beside the checkout. */
function writeModel(folder: string, shape: Record<string, number>): string {
  const model = join(folder, 'speed-model');
  const whole = join(folder, 'speed-model-written');
  if (existsSync(whole)) return model;
  const tokenizer = writeTinyChatModel(join(folder, 'speed-tokenizer'));
  const program = fileURLToPath(new URL('../../benchmarks/random-llama.ts', import.meta.url));
  const flags = Object.entries(shape).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  execFileSync(process.execPath, [program, '--tokenizer', tokenizer, '--output', model, ...flags]);
  writeFileSync(whole, '');
  return model;
}
