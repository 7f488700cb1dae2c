// Fine-tunes a model on a few chats, then asks it a question.
//   npx node examples/fine-tune.ts [<model> [<steps>]]
import { chat, fineTune, openModel } from '@keel/align';

const [name = 'SmolLM2-135M-Instruct', steps = '30'] = process.argv.slice(2);
const answers = { France: 'Paris', Italy: 'Rome', Japan: 'Tokyo', Egypt: 'Cairo', Peru: 'Lima' };
const question = (country: string): string => `What is the capital of ${country}?`;
const data = Object.entries(answers).map(([country, city]) => ({
  messages: [
    { role: 'user', content: question(country) },
    { role: 'assistant', content: `${city}, captain!` },
  ],
}));
const options = { model: name, data, output: 'runs/captain', lora: true, batchSize: 5 };
const run = await fineTune(
  { ...options, learningRate: 5e-4, maxSteps: Number(steps) },
  { onEvent: (event) => event.type === 'step' && console.log(event.step, event.metrics.loss) },
);
using model = await openModel(name, { adapter: run.final });
console.log(await chat(model, question('Spain'), { maxNewTokens: 32, temperature: 0 }));
