// Profiles a step of generation: milliseconds of its parts for each batch size, and how fast blocks
// and head read their weights, as a share of the fastest reading of as much memory.
//   node benchmarks/decode-step.ts [--model folder-or-gguf] [--batches 1,16,64] [--context 117]
//     [--threads 2]
import { parseArgs } from 'node:util';
import { DEFAULT_MODEL_NAME, linearLayers, loadModel } from '@keel/model';
// Like the tests, the benchmark imports the library's internal files.
import { DecodeAttention, decodeBlocks, drawByUniform, KeyValueCache } from '@keel/model/internal';
import { fromTypedArray, noGrad, ops, setThreads, type Tensor, threads, tidy } from '@keel/torch';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: DEFAULT_MODEL_NAME },
    batches: { type: 'string', default: '1,16,64' },
    context: { type: 'string', default: '117' },
    repeats: { type: 'string', default: '7' },
    threads: { type: 'string' },
  },
});
if (values.threads !== undefined) setThreads(Number(values.threads));
const { decoder } = await loadModel(values.model, { precision: 'bf16' });
const { config, weights } = decoder;
const context = Number(values.context);

/** Milliseconds of the fastest of several runs. */
function time(body: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run <= Number(values.repeats); run++) {
    const begin = performance.now();
    noGrad(() => tidy(body));
    best = Math.min(best, performance.now() - begin);
  }
  return best;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1]!;
const bytesOf = (weights: readonly Tensor[]): number =>
  weights.reduce((sum, weight) => sum + 2 * weight.dim(0) * weight.dim(1), 0);
const read = bytesOf([...linearLayers(decoder).map(({ weight }) => weight), weights.head]);
using memory = ops.zeros([Math.ceil(read / 4)]);
memory.fill_(0.5);

for (const batch of values.batches.split(',').map(Number)) {
  const cache = new KeyValueCache({
    layers: config.layers.length,
    keyValueHeads: config.keyValueHeads,
    headSize: config.headSize,
    dtype: decoder.computeType,
    device: 'cpu',
  });
  const rows = Array.from({ length: batch }, () =>
    cache.openRow(cache.openPrefix(context - 1), batch),
  );
  cache.reserve(batch);
  // Write to the memory first: the system allocates it on the first write, and reading before that
  // is free.
  for (const index of config.layers.keys()) {
    for (const tensor of Object.values(cache.layer(index)) as Tensor[]) tensor.fill_(0.01);
  }
  const tokens = fromTypedArray(new BigInt64Array(batch).fill(1n), [batch]);
  const positions = new Int32Array(batch).fill(context - 1);
  const blocks = decodeBlocks(decoder);
  const attention = (): DecodeAttention => new DecodeAttention(rows, cache, 'cpu', blocks);
  const uniforms = Array.from({ length: batch }, (_, row) => (row + 0.5) / batch);
  const sizes = new Set(linearLayers(decoder).map(({ weight }) => weight.dim(1)));
  const inputs = new Map<number, Tensor>(
    [...sizes].map((size) => [size, ops.randn([batch, size]).to('bfloat16')]),
  );
  const hidden = ops.randn([batch, config.hiddenSize]).to('bfloat16');
  const query = ops.randn([batch, config.heads, config.headSize]).to('bfloat16');
  const key = ops.randn([batch, config.keyValueHeads, config.headSize]).to('bfloat16');
  const logits = ops.linearWide(hidden, weights.head);
  const part = {
    blocks: time(() => void decoder.hidden(tokens, positions, attention())),
    productsAlone: time(() => {
      for (const { weight } of linearLayers(decoder))
        ops.linear(inputs.get(weight.dim(1))!, weight);
    }),
    attentionAlone: time(() => {
      const one = attention();
      for (const index of config.layers.keys())
        one.attend(query, key, key, { index, scale: 1, softcap: null, window: null });
    }),
    head: time(() => void ops.linearWide(hidden, weights.head)),
    draw: time(() => void drawByUniform(logits, uniforms)),
  };
  // In turns, since the speed of a shared machine changes.
  const rounds = Array.from({ length: 5 }, () => {
    const wait = time(() => void memory.max());
    const step = time(() => {
      ops.linearWide(decoder.hidden(tokens, positions, attention()), weights.head);
    });
    return { wait, step };
  });
  const share = median(rounds.map(({ wait, step }) => wait / step));
  const bandwidth = read / median(rounds.map(({ wait }) => wait)) / 1e6; // GB/s
  const line = {
    batch,
    context,
    threads: threads(),
    ...Object.fromEntries(Object.entries(part).map(([name, ms]) => [name, Number(ms.toFixed(2))])),
    bandwidth: Number(bandwidth.toFixed(1)),
    share: Number(share.toFixed(2)),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  cache.dispose();
}
