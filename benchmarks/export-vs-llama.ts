// Greedy answers of an exported GGUF file in Keel and in llama.cpp:
//   npm install --prefix /tmp/llama node-llama-cpp@3.22.1
//   export KEEL_NODE_LLAMA_CPP=/tmp/llama/node_modules/node-llama-cpp/dist/index.js
//   node benchmarks/export-vs-llama.ts model-f16.gguf [--lora adapter-f32.gguf] [--tokens 64]
// Both read the file, encode the same texts and chats, and continue the chats. llama.cpp computes
// attention with a cache in half precision and quantised types with quantised activations, so that
// a near tie may turn out differently there; the lead of the first token is shown.
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { generateAll, loadGgufAdapter, loadModel } from '@keel/model';
import { checkTexts } from '../packages/align/src/exporting/check-texts.ts';
import { probeOf } from '../packages/align/src/merging/probe.ts';

const questions = [
  'What is the capital of France?',
  'Name three colours of the rainbow.',
  'Why is the sky blue?',
  'Write a sentence about the sea.',
  'How many days has a week?',
  'What do bees make?',
  'Give me a word that rhymes with cat.',
  'Who wrote Romeo and Juliet?',
  'What is 12 plus 30?',
  'Where do penguins live?',
  'Explain what a verb is.',
  'How do I boil an egg?',
];

const {
  positionals: [path],
  values: { lora, tokens: count, questions: asked, threads },
} = parseArgs({
  allowPositionals: true,
  options: {
    lora: { type: 'string' },
    tokens: { type: 'string', default: '64' },
    questions: { type: 'string', default: '12' },
    threads: { type: 'string', default: '2' },
  },
});
const library = process.env.KEEL_NODE_LLAMA_CPP;
if (path === undefined || library === undefined) {
  throw new Error('pass a GGUF file, and the path of node-llama-cpp as KEEL_NODE_LLAMA_CPP');
}
const length = Number(count);

const model = await loadModel(path, { precision: 'fp32', device: 'cpu', weightCache: false });
const role = lora === undefined ? 'reference' : 'lora';
if (lora !== undefined) loadGgufAdapter(model.decoder, lora, role);
const { tokenizer } = model;
const chats = questions.slice(0, Number(asked)).map((content) => {
  const messages = [{ role: 'user', content }];
  return tokenizer.chatTemplate?.render(messages, { addGenerationPrompt: true }) ?? content;
});
const texts = [...checkTexts(tokenizer), ...chats];
const prompts = chats.map((chat) => tokenizer.encode(chat));
const own = await generateAll(model, prompts, {
  ...{ temperature: 0, maxNewTokens: length, adapter: lora === undefined ? null : role },
});

const { getLlama } = await import(pathToFileURL(library).href);
const llama = await getLlama({ gpu: false, build: 'never' });
const other = await llama.loadModel({ modelPath: path, gpuLayers: 0 });
const same = texts.filter(
  (text) => other.tokenize(text, true).join() === tokenizer.encode(text).join(),
).length;
console.log(`token ids: the same for ${same} of ${texts.length} texts`);

const context = await other.createContext({
  contextSize: 1024,
  threads: Number(threads),
  ...(lora === undefined ? {} : { lora: { adapters: [{ filePath: lora }] } }),
});
const sequence = context.getSequence();
let equal = 0;
for (const [index, prompt] of prompts.entries()) {
  await sequence.clearHistory();
  const found: number[] = [];
  for await (const token of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    found.push(token);
    if (found.length === length || other.isEogToken(token)) break;
  }
  const expected = own[index]!.tokens;
  const first = expected.findIndex((token, at) => token !== found[at]);
  if (first < 0 && found.length === expected.length) {
    equal += 1;
    continue;
  }
  const { values, rows } = probeOf(model, role, [...prompt, ...expected.slice(0, first)]);
  const last = values.slice(-values.length / rows).sort();
  const lead = last.at(-1)! - last.at(-2)!;
  console.log(`"${questions[index]}" differs after ${first} tokens, lead ${lead.toFixed(4)}`);
}
console.log(`greedy: the same up to ${length} tokens for ${equal} of ${prompts.length} questions`);
console.log(`the first answer: ${JSON.stringify(own[0]!.text)}`);
await llama.dispose();
model.dispose();
