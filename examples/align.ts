// Aligns a model on preference pairs, then asks it a question.
//   npx node examples/align.ts [<model> [<steps>]]
import { alignPairs, chat, openModel } from '@keel/align';

const [name = 'SmolLM2-135M-Instruct', steps = '34'] = process.argv.slice(2);
const data = `${import.meta.dirname}/data/concise-train.jsonl`;
const lora = { lora: true, learningRate: 1e-4, maxSteps: Number(steps) };
const run = await alignPairs(
  { model: name, data, output: 'runs/example', ...lora },
  {
    onEvent(event) {
      if (event.type !== 'step') return;
      const { loss, 'rewards/margins': margin } = event.metrics;
      console.log(`step ${event.step}: loss ${loss?.toFixed(4)}, margin ${margin?.toFixed(3)}`);
    },
  },
);

using model = await openModel(name, { adapter: run.final });
const answer = await chat(model, 'How long do I boil an egg?', {
  maxNewTokens: 64,
  temperature: 0,
});
console.log(`\n${answer}`);
