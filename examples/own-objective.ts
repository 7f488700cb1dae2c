// A custom objective: SLiC's hinge (Zhao et al. 2023, arXiv:2305.10425, eq. 2) on log-ratios. The
// run records its source: only this program can resume it, with the option resume: true.
//   npx node examples/own-objective.ts [<model> [<output>]]
import { alignPairs } from '@keel/align';
import { logRatioMargin, type PairedObjective } from '@keel/align/objectives';

const hinge: PairedObjective = {
  name: 'hinge',
  needsReference: true,
  loss: (scores, { beta }) => logRatioMargin(scores).mul(-beta).add(1).relu(), // [pairs]
};
const [model, output = 'runs/hinge'] = process.argv.slice(2);
const data = [`${import.meta.dirname}/data/concise-train.jsonl`];
const options = { model, data, output, lora: true, learningRate: 1e-4, maxSteps: 10 };
await alignPairs(options, { objective: hinge, onEvent: (event) => console.log(event) });
