// Keel's side of a comparison: time and tokens of each step, peak memory, and the speed relative to
// the machine's peak matmul speed.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { RunHooks, RunResult } from '@keel/align';
import { measureMatmulPeak } from '@keel/align/internal';
import { type LanguageModel, loadModel, type ModelSizes, modelSizes } from '@keel/model';
import { processGroup, readLaunch, threads, torchBuild } from '@keel/torch';

/** Settings of one kind of training. */
export interface MeasuredTraining {
  /** Flag for the rows per step, and its default. */
  rows: { flag: string; default: string };
  train(options: CommonOptions, hooks: RunHooks): Promise<RunResult>;
  /** Completions per row whose tokens are counted (default: count the tokens of rows). */
  answers?: number;
  /** Floating-point operations of a step on these rows, counted as in a run's mfu. */
  flops?(
    model: LanguageModel,
    sizes: ModelSizes,
    path: string,
    rows: readonly number[],
    full: boolean,
  ): Promise<number>;
}

/** Options of a comparison for every kind of training. */
export type CommonOptions = ReturnType<typeof commonOptions>;

type Values = Readonly<Record<string, string>> & { full: boolean };

function valuesOf({ rows }: MeasuredTraining): Values {
  const { values } = parseArgs({
    options: {
      model: { type: 'string', default: 'SmolLM2-135M-Instruct' },
      data: { type: 'string' },
      steps: { type: 'string', default: '9' },
      [rows.flag]: { type: 'string', default: rows.default },
      epochs: { type: 'string', default: '1' },
      rank: { type: 'string', default: '16' },
      full: { type: 'boolean', default: false },
      dtype: { type: 'string', default: 'bf16' },
      threads: { type: 'string', default: 'all' },
      'base-precision': { type: 'string', default: 'auto' },
      'micro-batch-tokens': { type: 'string', default: 'auto' },
      'gradient-checkpointing': { type: 'string', default: 'auto' },
      'lora-layers': { type: 'string', default: 'all' },
      shard: { type: 'string', default: 'none' },
    },
  });
  if (values.data === undefined)
    throw new Error('--data is required: a file of rows in JSON Lines');
  return values as Values;
}

function commonOptions(
  values: Values,
  data: string,
  output: string,
  batchSize: number,
  maxSteps: number,
) {
  const rank = Number(values.rank);
  const [tokens, layers] = [values['micro-batch-tokens']!, values['lora-layers']!];
  return {
    model: values.model!,
    data: [data],
    output,
    lora: !values.full,
    loraRank: rank,
    loraAlpha: 2 * rank,
    batchSize,
    maxSteps,
    learningRate: 1e-5,
    scheduler: 'constant' as const,
    shuffle: false,
    precision: values.dtype as 'bf16' | 'fp32',
    basePrecision: values['base-precision'] as 'auto' | 'kept' | 'nf4',
    saveSteps: null,
    microBatchTokens: tokens === 'auto' ? ('auto' as const) : Number(tokens),
    gradientCheckpointing: values['gradient-checkpointing'] as 'auto' | 'on' | 'off',
    loraLayers: layers === 'all' ? null : [layers],
    shard: values.shard as 'none' | 'optimizer' | 'full',
    threads: values.threads === 'all' ? null : Number(values.threads),
  };
}

/**
 * Runs the training given by the command line; prints one JSON line, like the scripts in
 * benchmarks/trl.
 */
export async function measureRun(training: MeasuredTraining): Promise<void> {
  const values = valuesOf(training);
  const folder = mkdtempSync(join(tmpdir(), 'keel-measured-'));
  try {
    const [steps, rows] = [Number(values.steps), Number(values[training.rows.flag])];
    const count = Math.floor((steps * rows) / Number(values.epochs));
    const lines = readFileSync(values.data!, 'utf8').trim().split('\n');
    const data = join(folder, 'rows.jsonl');
    writeFileSync(
      data,
      Array.from({ length: count }, (_, row) => `${lines[row % lines.length]}\n`).join(''),
    );
    const seconds: number[] = [];
    const tokens: number[] = [];
    const sent: number[] = [];
    /** Seconds of each phase, by step. */
    const phases: Record<string, number>[] = [];
    let bytes = 0;
    let last = performance.now();
    let counted = 0;
    let trained = 0;
    await training.train(commonOptions(values, data, join(folder, 'run'), rows, steps), {
      onEvent(event) {
        if (event.type === 'notice') process.stderr.write(`${event.text}\n`);
        if (event.type === 'start') last = performance.now();
        const group = processGroup();
        if (event.type === 'start') bytes = group?.bytes ?? 0;
        if (event.type !== 'step') return;
        trained = peakBytes();
        const now = performance.now();
        seconds.push((now - last) / 1000);
        last = now;
        phases.push(
          Object.fromEntries(
            Object.entries(event.metrics).flatMap(([name, value]) =>
              name.startsWith('time/') ? [[name.slice('time/'.length), value]] : [],
            ),
          ),
        );
        if (group !== null) {
          sent.push(group.bytes - bytes);
          bytes = group.bytes;
        }
        const { num_tokens: seen = 0, 'completions/mean_length': length = 0 } = event.metrics;
        const { answers } = training;
        tokens.push(answers === undefined ? seen - counted : length * answers * rows);
        counted = seen;
      },
    });
    const peak = peakBytes();
    // Of several processes, the first one speaks.
    if ((readLaunch()?.rank ?? 0) > 0) return;
    const sum = (list: number[]): number =>
      list.slice(1).reduce((total, value) => total + value, 0);
    process.stdout.write(
      `${JSON.stringify({
        trainer: 'keel',
        training: values.full ? 'full' : `lora-${values.rank}`,
        dtype: values.dtype,
        torch: torchBuild().version,
        threads: threads(),
        seconds_per_step: seconds.slice(1),
        phases_per_step: phases.slice(1),
        tokens_per_second: sum(tokens) / sum(seconds),
        tokens_per_step: tokens.slice(1),
        peak_rss_bytes: peak,
        peak_rss_of_steps_bytes: trained,
        ...(sent.length > 0 && { sent_bytes_per_step: sent.slice(1) }),
        ...(training.flops && {
          model_flops_per_step: await modelFlops(training.flops, values, data, rows, count),
          matmul_flops: measureMatmulPeak(values.dtype as 'bf16' | 'fp32').flops,
        }),
      })}\n`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Peak resident memory of this process so far, in bytes, from the system. */
function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

/** Mean over the measured steps. */
async function modelFlops(
  flopsOf: NonNullable<MeasuredTraining['flops']>,
  values: Values,
  path: string,
  rows: number,
  count: number,
): Promise<number> {
  const model = await loadModel(values.model!);
  const sizes = modelSizes(model.decoder);
  let flops = 0;
  const steps = Number(values.steps);
  for (let step = 1; step < steps; step++) {
    const indices = Array.from({ length: rows }, (_, index) => (step * rows + index) % count);
    flops += await flopsOf(model, sizes, path, indices, values.full);
  }
  model.dispose();
  return flops / (steps - 1);
}
