// Measures tokens per second while generating. Prints one JSON line per batch size.
//   node benchmarks/generate.ts [--model folder-or-gguf] [--prompts prompts.json]
//     [--batches 1,16,64] [--adapter-rank 16] …
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
// Like the tests, the benchmark imports the library's internal files.
import { addLora, DEFAULT_MODEL_NAME, generate, loadModel, type Precision } from '@keel/model';
import { noGrad, setThreads, threads } from '@keel/torch';
import { benchmarkPrompts } from './generation-prompts.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: DEFAULT_MODEL_NAME },
    precision: { type: 'string', default: 'bf16' },
    device: { type: 'string', default: 'cpu' },
    prompts: { type: 'string' },
    'prompt-tokens': { type: 'string', default: '85' },
    'new-tokens': { type: 'string', default: '64' },
    batches: { type: 'string', default: '1,16,64' },
    repeats: { type: 'string', default: '3' },
    threads: { type: 'string' },
    'adapter-rank': { type: 'string', default: '0' },
  },
});

if (values.threads !== undefined) setThreads(Number(values.threads));
const model = await loadModel(values.model, {
  precision: values.precision as Precision,
  device: values.device,
});
const rank = Number(values['adapter-rank']);
if (rank > 0) {
  const options = { rank, alpha: rank, targets: 'all-linear', seed: 0 } as const;
  for (const parameter of addLora(model.decoder, 'policy', options).values())
    noGrad(() => parameter.normal_(0, 0.01));
}
const adapter = rank > 0 ? 'policy' : null;
const batches = values.batches.split(',').map(Number);
const newTokens = Number(values['new-tokens']);
const prompts: number[][] =
  values.prompts === undefined
    ? benchmarkPrompts(model.tokenizer, Math.max(...batches), Number(values['prompt-tokens']))
    : JSON.parse(readFileSync(values.prompts, 'utf8'));

interface Timing {
  seconds: number;
  /** Until every sample has its first token. */
  prefillSeconds: number;
}

async function once(batch: number, seed: number): Promise<Timing> {
  const begin = performance.now();
  let first = 0;
  let tokens = 0;
  // Without a stop token every sample has the same length, on both sides of the comparison.
  const options = { maxNewTokens: newTokens, batchSize: batch, seed, stopTokenIds: [], adapter };
  for await (const event of generate(model, prompts.slice(0, batch), options)) {
    if (event.type === 'token' && ++tokens === batch) first = performance.now();
  }
  if (tokens !== batch * newTokens)
    throw new Error(`expected ${batch * newTokens} tokens, got ${tokens}`);
  return { seconds: (performance.now() - begin) / 1000, prefillSeconds: (first - begin) / 1000 };
}

for (const batch of batches) {
  await once(batch, 0);
  const runs: Timing[] = [];
  for (let seed = 1; seed <= Number(values.repeats); seed++) runs.push(await once(batch, seed));
  const best = runs.reduce((one, other) => (other.seconds < one.seconds ? other : one));
  const line = {
    program: 'keel',
    batch,
    promptTokens: prompts[0]!.length,
    newTokens,
    precision: values.precision,
    threads: threads(),
    adapterRank: rank,
    seconds: best.seconds,
    prefillSeconds: best.prefillSeconds,
    tokensPerSecond: (batch * newTokens) / best.seconds,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
