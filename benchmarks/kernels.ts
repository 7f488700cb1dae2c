// Compares Keel's own operators with the same computation in LibTorch, in bf16 with SmolLM2's
// sizes; forward, and forward with backward. Median milliseconds.
//   node benchmarks/kernels.ts [--tokens 1720] [--threads 2] [--repeats 9]
import { parseArgs } from 'node:util';
import {
  fromTypedArray,
  manualSeed,
  noGrad,
  ops,
  randn,
  setThreads,
  type Tensor,
  tidy,
  zeros,
} from '@keel/torch';

const { values } = parseArgs({
  options: {
    tokens: { type: 'string', default: '1720' },
    threads: { type: 'string', default: '2' },
    repeats: { type: 'string', default: '9' },
  },
});
setThreads(Number(values.threads));
manualSeed(1);
const tokens = Number(values.tokens);
const [hidden, inner, vocabulary, heads, keyHeads, size] = [576, 1536, 49152, 9, 3, 64];

const made = (shape: number[], scale = 0.05): Tensor =>
  tidy(() => randn(shape).mul(scale).to('bfloat16')).keep();

function median(body: () => void): number {
  const times = Array.from({ length: Number(values.repeats) + 1 }, () => {
    const start = performance.now();
    tidy(() => {
      body();
    });
    return performance.now() - start;
  });
  return times.slice(1).toSorted((a, b) => a - b)[(times.length - 1) >> 1]!;
}

/** Forward only, and with the backward pass to the trained inputs. */
function both(inputs: readonly Tensor[], seed: Tensor, form: () => Tensor): [string, string] {
  const forward = median(() => noGrad(form));
  const whole = median(() => {
    form().backward(seed);
    for (const input of inputs) input.grad = null;
  });
  return [forward.toFixed(2), whole.toFixed(2)];
}

interface Row {
  name: string;
  inputs: readonly Tensor[];
  seed: Tensor;
  own: () => Tensor;
  composed: () => Tensor;
}

const trained = (tensor: Tensor): Tensor => tensor.setRequiresGrad();

function linearRow(): Row {
  const [x, weight] = [trained(made([tokens, hidden])), made([inner, hidden])];
  return {
    name: `linear ${hidden} to ${inner}, weight frozen`,
    inputs: [x],
    seed: made([tokens, inner]),
    own: () => ops.linear(x, weight),
    composed: () => ops.mm(x, weight.t()),
  };
}

function loraRow(): Row {
  const [x, weight] = [trained(made([tokens, hidden])), made([inner, hidden])];
  const a = trained(randn([16, hidden]).mul(0.05).keep());
  const b = trained(randn([inner, 16]).mul(0.05).keep());
  return {
    name: `the same with LoRA of rank 16`,
    inputs: [x, a, b],
    seed: made([tokens, inner]),
    own: () => ops.loraLinears(x, [weight], [], [a], [b], 2)[0]!,
    composed() {
      const down = ops.mm(x, a.to('bfloat16').t());
      return ops.mm(x, weight.t()).add(ops.mm(down, b.to('bfloat16').t()).mul(2));
    },
  };
}

/** Sequences of 430 tokens without a shared prompt, which LibTorch's attention does not support. */
function attentionRow(): Row {
  const [length, count] = [430, Math.floor(tokens / 430)];
  const make = (number: number): Tensor => trained(made([count * length, number, size], 0.5));
  const [query, key, value] = [make(heads), make(keyHeads), make(keyHeads)];
  const table = Array.from({ length: count }, (_, index) => [index * length, length, -1]).flat();
  const split = (x: Tensor, groups: number): Tensor =>
    x
      .reshape(count, length, heads / groups, size)
      .transpose(1, 2)
      .contiguous();
  return {
    name: `attention, ${count} sequences of ${length}`,
    inputs: [query, key, value],
    seed: made([count * length, heads, size]),
    own: () => ops.segmentAttention(query, key, value, table, 0.125),
    composed() {
      const [q, k, v] = [split(query, 1), split(key, 3), split(value, 3)];
      const wide = (x: Tensor): Tensor => ops.repeatInterleaveSelfInt(x, heads / keyHeads, 1);
      const out = ops.scaledDotProductAttention(q, wide(k), wide(v), null, 0, true, 0.125);
      return out.transpose(1, 2).reshape(count * length, heads, size);
    },
  };
}

function logprobRow(): Row {
  const scored = Math.round(tokens * 0.63);
  const [states, head] = [trained(made([scored, hidden], 1)), made([vocabulary, hidden])];
  const targets = zeros([scored], { dtype: 'int64' }).keep();
  return {
    name: `log-probabilities of ${scored} tokens of ${vocabulary}, head frozen`,
    inputs: [states],
    seed: randn([scored]).keep(),
    own: () => ops.linearLogprob(states, head, targets, 1, 0, 256)[0],
    composed: () =>
      ops
        .mm(states, head.t())
        .to('float32')
        .logSoftmax(1)
        .gather(1, targets.unsqueeze(1))
        .squeeze(1),
  };
}

/** As under a constraint: each token has another 200 of the vocabulary to choose from. */
function allowedRow(): Row {
  const row = logprobRow();
  const [states] = row.inputs as [Tensor];
  const count = states.dim(0);
  const head = made([vocabulary, hidden]);
  const targets = zeros([count], { dtype: 'int64' }).keep();
  const words = Math.ceil(vocabulary / 32);
  const masks = new Int32Array(count * words);
  for (let at = 0; at < count; at++) {
    masks[at * words] = 1;
    for (let one = 0; one < 200; one++) {
      const token = (at * 7919 + one * 211) % 3000;
      masks[at * words + (token >> 5)]! |= 1 << (token & 31);
    }
  }
  const allowed = fromTypedArray(masks, [count, words]).keep();
  return {
    ...row,
    name: `the same over 200 allowed tokens`,
    own: () => ops.linearLogprob(states, head, targets, 1, 0, 256, allowed)[0],
    composed: () =>
      ops
        .mm(states, head.t())
        .to('float32')
        .maskedFill(ops.ruledOut(allowed, vocabulary), Number.NEGATIVE_INFINITY)
        .logSoftmax(1)
        .gather(1, targets.unsqueeze(1))
        .squeeze(1),
  };
}

function swigluRow(): Row {
  const [gate, up] = [trained(made([tokens, inner], 1)), trained(made([tokens, inner], 1))];
  return {
    name: `SwiGLU of ${inner}`,
    inputs: [gate, up],
    seed: made([tokens, inner]),
    own: () => ops.swiglu(gate, up),
    composed: () => gate.silu().mul(up),
  };
}

process.stdout.write(
  '| ms | forward, Keel | forward, LibTorch | with backward, Keel | with backward, LibTorch |\n|---|---|---|---|---|\n',
);
for (const make of [linearRow, loraRow, swigluRow, attentionRow, logprobRow, allowedRow]) {
  const { name, inputs, seed, own, composed } = make();
  const [[a, b], [c, d]] = [both(inputs, seed, own), both(inputs, seed, composed)];
  process.stdout.write(`| ${name} | ${a} | ${c} | ${b} | ${d} |\n`);
}
