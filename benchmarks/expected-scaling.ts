// What data parallel training in many processes can be expected to gain: from the arithmetic of a
// step, the speed of one GPU, and the bandwidth between them. Measures nothing.
//   node benchmarks/expected-scaling.ts [--parameters 7e9] [--trained 4e7] [--tokens 131072]
//     [--flops 4e14] [--inside 4.5e11] [--between 5e10] [--per-machine 8] [--latency 2e-5]
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    parameters: { type: 'string', default: '7e9' },
    trained: { type: 'string', default: '4e7' },
    tokens: { type: 'string', default: '131072' },
    flops: { type: 'string', default: '4e14' },
    inside: { type: 'string', default: '4.5e11' },
    between: { type: 'string', default: '5e10' },
    'per-machine': { type: 'string', default: '8' },
    latency: { type: 'string', default: '2e-5' },
  },
});
const number = (name: keyof typeof values): number => Number(values[name]);
const [parameters, trained, tokens] = [number('parameters'), number('trained'), number('tokens')];

// Forward 2 FLOP a parameter and token, backward of activations as many again, and of weights once
// more where they are trained.
const full = trained >= parameters;
const arithmetic = (full ? 6 : 4) * parameters * tokens;
const bytes = 4 * trained;

/** Seconds in which N processes add up their gradients: what the slowest link takes. */
function exchange(processes: number): number {
  if (processes === 1) return 0;
  const link = processes <= number('per-machine') ? number('inside') : number('between');
  const share = (2 * (processes - 1)) / processes;
  return (share * bytes) / link + 2 * Math.log2(processes) * number('latency');
}

console.log('| GPUs | compute, ms | exchange, ms | s a step | times as fast | of the ideal |');
console.log('|---|---|---|---|---|---|');
const alone = arithmetic / number('flops');
for (const processes of [1, 8, 16, 32, 64, 128, 256, 512]) {
  const [compute, wire] = [alone / processes, exchange(processes)];
  const step = compute + wire;
  const gain = alone / step;
  const cells = [processes, (1e3 * compute).toFixed(1), (1e3 * wire).toFixed(1), step.toFixed(3)];
  console.log(
    `| ${[...cells, gain.toFixed(1), `${((100 * gain) / processes).toFixed(0)}%`].join(' | ')} |`,
  );
}
