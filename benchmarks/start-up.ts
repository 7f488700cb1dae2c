// Measures the time to Keel's first token and first training step, how long training blocks the
// event loop, and how fast rows are tokenised.
//   node benchmarks/start-up.ts [--rounds 3] [--steps 4] [--data rows.jsonl]
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { alignPairs } from '@keel/align';
import { openRows } from '@keel/align/data';
import { pairTokenising, RowTokeniser } from '@keel/align/internal';
import { BatchBuilder, cacheFolder, ensureDefaultModel, loadModel } from '@keel/model';
import { noGradSteps, tidySteps } from '@keel/torch';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    steps: { type: 'string', default: '4' },
    data: { type: 'string' },
  },
});
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const keel = here('../packages/cli/bin/keel.mjs');
const data = values.data ?? here('../examples/data/concise-train.jsonl');
const folder = mkdtempSync(join(tmpdir(), 'keel-start-'));
let runs = 0;

const median = (list: number[]): number =>
  list.toSorted((a, b) => a - b)[list.length >> 1] ?? Number.NaN;

/** Seconds from the start of a process until its output contains each of the texts. */
function secondsUntil(
  args: readonly string[],
  texts: readonly string[],
  env: Record<string, string>,
): Promise<number[]> {
  const started = performance.now();
  const child = spawn(process.execPath, [keel, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const found = new Map<string, number>();
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    for (const one of texts) {
      if (!found.has(one) && output.includes(one))
        found.set(one, (performance.now() - started) / 1000);
    }
  });
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', (code) => {
      if (code !== 0) fail(new Error(`keel ${args.join(' ')} ended with ${code}`));
      else done(texts.map((one) => found.get(one) ?? Number.NaN));
    });
  });
}

const newRun = (): string => join(folder, `run-${runs++}`);
const firstToken = (env: Record<string, string>): Promise<number[]> =>
  secondsUntil(
    ['generate', '--prompt', 'Hi', '--max-new-tokens', '1', '--json'],
    ['completion'],
    env,
  );
const firstStep = (env: Record<string, string>): Promise<number[]> =>
  secondsUntil(
    ['dpo', '--data', data, '--output', newRun(), '--lora', '--batch-size', '4'].concat(
      '--max-steps',
      '1',
      '--sample-prompts',
      'none',
      '--json',
    ),
    ['"type":"start"', '"type":"step"'],
    env,
  );

async function startUps(): Promise<void> {
  process.stdout.write(
    '| cache | first token, s | ready to train, s | first step done, s |\n|---|---|---|---|\n',
  );
  const kinds = ['off', 'empty', 'filled'] as const;
  for (const kind of kinds) {
    const found: number[][] = [];
    for (let round = 0; round < Number(values.rounds); round++) {
      const row: number[] = [];
      for (const measure of [firstToken, firstStep]) {
        // With the same models, but no other files from earlier starts.
        const cache = join(folder, `${kind}-${kind === 'filled' ? 0 : runs++}`);
        mkdirSync(cache, { recursive: true });
        if (round === 0 || kind !== 'filled') linkModels(cache);
        const env = {
          KEEL_CACHE: cache,
          ...(kind === 'off' ? { KEEL_WEIGHT_CACHE: 'off', NODE_DISABLE_COMPILE_CACHE: '1' } : {}),
        };
        if (kind === 'filled' && round === 0) await measure(env);
        row.push(...(await measure(env)));
        if (kind !== 'filled') rmSync(cache, { recursive: true });
      }
      found.push(row);
    }
    const columns = [0, 1, 2].map((at) => median(found.map((row) => row[at]!)).toFixed(2));
    process.stdout.write(`| ${kind} | ${columns.join(' | ')} |\n`);
  }
}

function linkModels(cache: string): void {
  rmSync(join(cache, 'models'), { force: true });
  symlinkSync(join(cacheFolder(), 'models'), join(cache, 'models'));
}

async function eventLoop(): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  const rows: number[][] = [];
  let last = 0;
  await alignPairs(
    {
      data: [data],
      output: newRun(),
      lora: true,
      batchSize: 4,
      maxSteps: Number(values.steps),
      saveSteps: null,
      samplePrompts: null,
    },
    {
      onEvent({ type }) {
        const now = performance.now();
        if (type === 'start') delay.enable();
        if (type === 'step') rows.push([now - last, delay.max / 1e6]);
        last = now;
        delay.reset();
      },
    },
  );
  delay.disable();
  const [step, block] = [0, 1].map((at) => median(rows.slice(1).map((row) => row[at]!)));
  process.stdout.write(
    `\nDPO, LoRA, 4 pairs per step: a step takes ${step!.toFixed(0)} ms, its longest block of the event loop ${block!.toFixed(0)} ms (median of ${rows.length - 1})\n`,
  );
}

/** Times a forward pass alone: the longest block without backward. */
async function forwardBlocks(): Promise<void> {
  const model = await loadModel('SmolLM2-135M-Instruct', { precision: 'bf16' });
  const builder = new BatchBuilder();
  for (let row = 0; row < 4; row++)
    builder.add(Array.from({ length: 256 }, (_, index) => (row * 8111 + index * 7919) % 49152));
  const batch = builder.build();
  const places = Array.from({ length: batch.tokens.length }, (_, index) => index);
  const rows = Int32Array.from(places.filter((index) => index % 256 < 255));
  const scored = { rows, targets: rows.map((row) => batch.tokens[row + 1]!) };
  const longest: number[] = [];
  const times: number[] = [];
  for (let round = 0; round < 6; round++) {
    const steps = noGradSteps(tidySteps(model.scoreTokensSteps(batch, scored)));
    const started = performance.now();
    let last = started;
    let most = 0;
    for (;;) {
      const { done, value } = steps.next();
      const now = performance.now();
      most = Math.max(most, now - last);
      if (done) {
        for (const tensor of Object.values(value)) tensor.dispose();
        break;
      }
      await setImmediate();
      last = performance.now();
    }
    longest.push(most);
    times.push(performance.now() - started);
  }
  model.dispose();
  process.stdout.write(
    `A forward pass of 1,024 tokens, all scored, takes ${median(times.slice(1)).toFixed(0)} ms, its longest block ${median(longest.slice(1)).toFixed(0)} ms\n`,
  );
}

async function tokenising(): Promise<void> {
  await using source = await openRows([data], { kind: 'preference' });
  const model = await loadModel('SmolLM2-135M-Instruct');
  const all = await source.readMany(Array.from({ length: source.length }, (_, index) => index));
  const rows = Array.from({ length: 4000 }, (_, index) => all[index % all.length]!);
  process.stdout.write('\n| tokenising | rows/s | ready after, s |\n|---|---|---|\n');
  for (const threads of [0, 1, 2]) {
    using tokeniser = new RowTokeniser(
      model.tokenizer,
      pairTokenising,
      { maxLength: null },
      { threads, worth: 0 },
    );
    const started = performance.now();
    tokeniser.expect(rows.length);
    await tokeniser.tokenise(rows.slice(0, 1));
    while (tokeniser.lanes < Math.max(1, threads) || tokeniser.isAhead !== threads > 0)
      await setImmediate();
    const ready = performance.now();
    const chunks = Array.from({ length: rows.length / 40 }, (_, at) =>
      tokeniser.tokenise(rows.slice(40 * at, 40 * at + 40)),
    );
    await Promise.all(chunks);
    const rate = rows.length / ((performance.now() - ready) / 1000);
    const name =
      threads === 0
        ? 'in the main thread'
        : `in ${threads} separate thread${threads === 1 ? '' : 's'}`;
    process.stdout.write(
      `| ${name} | ${rate.toFixed(0)} | ${((ready - started) / 1000).toFixed(2)} |\n`,
    );
  }
  model.dispose();
}

try {
  await ensureDefaultModel();
  await startUps();
  await eventLoop();
  await forwardBlocks();
  await tokenising();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
