// Measures the refusal classifier on labelled answers by cross-validation over models: weights are
// trained on the answers of all models but one, and tested on those of that one.
//   node benchmarks/refusal-accuracy.ts --answers labelled-answers.jsonl [--write]
// --answers: XSTest's rows {model, prompt, completion, final_label}. --write: also trains the
// weights that come with Keel, on all models, and writes them.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeFileAtomic } from '@keel/align/internal';
import { cohenKappa, wilsonInterval } from '@keel/statistics';
import { classifyRefusal } from '../packages/evaluate/src/refusals/classify-refusal.ts';
import {
  type LabelledAnswer,
  labelledFeatures,
  ownExamples,
  readLabelledAnswers,
} from '../packages/evaluate/src/refusals/labelled-answers.ts';
import {
  type RefusalModel,
  refusalLabels,
  trainRefusalModel,
} from '../packages/evaluate/src/refusals/refusal-model.ts';

const { values } = parseArgs({
  options: { answers: { type: 'string' }, write: { type: 'boolean', default: false } },
});
if (values.answers === undefined) throw new Error('--answers is required');

const own = ownExamples();
const answers = readLabelledAnswers(values.answers);
const models = [...new Set(answers.map(({ model }) => model))];
const train = (rows: readonly LabelledAnswer[]): RefusalModel =>
  trainRefusalModel([...rows, ...own].map(labelledFeatures));

/** A label of few words, for the tables. */
const short = { full_compliance: 'full', partial_refusal: 'partial', full_refusal: 'refusal' };
const places = refusalLabels.map((_, index) => index);

const accuracies: number[] = [];
const lines: string[] = [];
for (const left of models) {
  const test = answers.filter(({ model }) => model === left);
  const model = train(answers.filter(({ model: one }) => one !== left));
  const truth = test.map(({ label }) => refusalLabels.indexOf(label));
  const found = test.map(({ prompt, answer }) =>
    refusalLabels.indexOf(classifyRefusal(prompt, answer, model).label),
  );
  const right = truth.filter((label, index) => label === found[index]).length;
  const compliant = truth.filter((label) => label === 0).length;
  const [low, high] = wilsonInterval(right, test.length);
  const kappa = cohenKappa(truth, found, { categories: places });
  accuracies.push(right / test.length);
  lines.push(
    `| ${left} | ${(right / test.length).toFixed(4)} (${low.toFixed(3)} to ${high.toFixed(3)}) ` +
      `| ${kappa.value?.toFixed(3)} | ${(compliant / test.length).toFixed(4)} |`,
  );
  console.log(`${left}, labels down, classes across`);
  for (const label of places) {
    const counts = places.map(
      (guess) => truth.filter((one, index) => one === label && found[index] === guess).length,
    );
    console.log(`| ${short[refusalLabels[label]!]} | ${counts.join(' | ')} |`);
  }
}
console.log(`\n| model left out | accuracy (95%) | kappa | always compliance |\n|---|---|---|---|`);
console.log(lines.join('\n'));
const mean = accuracies.reduce((sum, one) => sum + one, 0) / accuracies.length;
console.log(`mean accuracy ${mean.toFixed(4)}`);

if (values.write) {
  const file = new URL('../packages/evaluate/src/refusals/refusal-weights.json', import.meta.url);
  writeFileAtomic(fileURLToPath(file), `${JSON.stringify(train(answers), null, 2)}\n`);
}
