// Fine-tunes a model on a few chats, then asks it a question.
//   npx node examples/fine-tune.ts [<model> [<steps>]]
import { mkdirSync, writeFileSync } from 'node:fs';
import { fineTune } from '@keel/align';
import { type ChatMessage, generateAll, loadAdapter, loadModel } from '@keel/model';

const [name = 'SmolLM2-135M-Instruct', steps = '30'] = process.argv.slice(2);
const answers = { France: 'Paris', Italy: 'Rome', Japan: 'Tokyo', Egypt: 'Cairo', Peru: 'Lima' };
const chat = (country: string): ChatMessage[] => [
  { role: 'user', content: `What is the capital of ${country}?` },
];
const rows = Object.entries(answers).map(([country, city]) => ({
  messages: [...chat(country), { role: 'assistant', content: `${city}, captain!` }],
}));
mkdirSync('runs', { recursive: true });
writeFileSync('runs/chats.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
const options = { data: ['runs/chats.jsonl'], output: 'runs/captain', lora: true, batchSize: 5 };
const run = await fineTune(
  { model: name, ...options, learningRate: 5e-4, maxSteps: Number(steps) },
  { onEvent: (event) => event.type === 'step' && console.log(event.step, event.metrics.loss) },
);

const model = await loadModel(name);
loadAdapter(model.decoder, run.final, 'captain');
const text = model.tokenizer.chatTemplate?.render(chat('Spain'), { addGenerationPrompt: true });
const how = { adapter: 'captain', maxNewTokens: 32, temperature: 0 };
const [answer] = await generateAll(model, [model.tokenizer.encode(text ?? '')], how);
console.log(answer?.text);
