// Aligns a model on preference pairs, then asks it a question.
//   npx node examples/align.ts [<model> [<steps>]]
import { alignPairs } from '@keel/align';
import { type ChatMessage, generateAll, loadAdapter, loadModel } from '@keel/model';

const [name = 'SmolLM2-135M-Instruct', steps = '34'] = process.argv.slice(2);
const data = [`${import.meta.dirname}/data/concise-train.jsonl`];
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

const model = await loadModel(name);
loadAdapter(model.decoder, run.final, 'policy');
const chat: ChatMessage[] = [{ role: 'user', content: 'How long do I boil an egg?' }];
const text = model.tokenizer.chatTemplate?.render(chat, { addGenerationPrompt: true }) ?? '';
const options = { adapter: 'policy', maxNewTokens: 64, temperature: 0 };
const [answer] = await generateAll(model, [model.tokenizer.encode(text)], options);
console.log(`\n${answer?.text}`);
