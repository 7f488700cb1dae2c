// Sends many requests of mixed kinds to a server of the default model: whole and streamed answers,
// several samples, log-probabilities, clients that leave, bad bodies. Checks every answer against
// `generate`, and that nothing is left behind.
//   node benchmarks/serve-requests.ts [--requests 2000] [--clients 40]
import { parseArgs } from 'node:util';
import { generateAll, loadModel } from '@keel/model';
import { startServer } from '@keel/serve';
import OpenAI from 'openai';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '2000' },
    clients: { type: 'string', default: '40' },
  },
});
const requests = Number(values.requests);
const model = await loadModel('SmolLM2-135M-Instruct');
const server = await startServer(model, { port: 0, batchSize: 16, queueSize: 1000 });
const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });

const system = 'You answer in one short sentence, and you say so when you do not know. ';
const prompts = Array.from({ length: 24 }, (_, i) =>
  i % 3 === 0 ? `${system}Question ${i}: why is the sky blue` : `Number ${i} is followed by`,
);
const greedy = { model: server.adapters.base.name, temperature: 0, max_tokens: 8 };
const sampled = { ...greedy, temperature: 0.9, top_p: 0.95, seed: 5 };

/** What each prompt gives alone. */
async function expectedOf(options: object): Promise<string[]> {
  const texts: string[] = [];
  for (const prompt of prompts) {
    const tokens = model.tokenizer.encode(prompt, { addSpecialTokens: true });
    const [result] = await generateAll(model, [tokens], { maxNewTokens: 8, ...options });
    texts.push(result!.text);
  }
  return texts;
}
const expected = {
  greedy: await expectedOf({ temperature: 0 }),
  sampled: await expectedOf({ temperature: 0.9, topP: 0.95, seed: 5 }),
};

const post = (body: string) =>
  fetch(`${server.url}/v1/completions`, {
    ...{ method: 'POST', headers: { 'Content-Type': 'application/json' }, body },
  });

const wrong: string[] = [];
const check = (found: unknown, wanted: unknown, what: string): void => {
  if (found === wanted) return;
  wrong.push(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
};

const kinds: Record<string, (at: number) => Promise<void>> = {
  async whole(at) {
    const { choices } = await client.completions.create({ ...greedy, prompt: prompts[at]! });
    check(choices[0]!.text, expected.greedy[at], `whole ${at}`);
  },
  async sampled(at) {
    const { choices } = await client.completions.create({ ...sampled, prompt: prompts[at]! });
    check(choices[0]!.text, expected.sampled[at], `sampled ${at}`);
  },
  async streamed(at) {
    const asked = { ...greedy, prompt: prompts[at]!, stream: true as const };
    let text = '';
    for await (const { choices } of await client.completions.create(asked)) {
      text += choices[0]?.text ?? '';
    }
    check(text, expected.greedy[at], `streamed ${at}`);
  },
  async several(at) {
    const asked = { ...greedy, prompt: [prompts[at]!, prompts[0]!], n: 2, logprobs: 3, echo: true };
    const { choices } = await client.completions.create(asked);
    check(choices[0]!.text, prompts[at]! + expected.greedy[at]!, `several ${at}`);
    check(choices[3]!.text, prompts[0]! + expected.greedy[0]!, `several ${at}, last`);
  },
  async leavesStream(at) {
    const asked = { ...greedy, prompt: prompts[at]!, stream: true as const, max_tokens: 500 };
    for await (const _ of await client.completions.create(asked)) break;
  },
  async leavesWhole(at) {
    const asked = { ...greedy, prompt: prompts[at]!, max_tokens: 500 };
    const signal = AbortSignal.timeout(20 + (at % 7) * 30);
    await client.completions.create(asked, { signal }).catch(() => {});
  },
  async notJson() {
    check((await post('{"prompt": "a')).status, 400, 'not JSON');
  },
  async badField(at) {
    const fields = [{ top_p: 7 }, { unknown: 1 }, { n: 0 }, { prompt: [[]] }, { stop: [''] }];
    const body = JSON.stringify({ ...greedy, prompt: 'a', ...fields[at % fields.length] });
    check((await post(body)).status, 400, 'bad field');
  },
};

const names = Object.keys(kinds);
const started = performance.now();
let next = 0;
let memory = 0;
await Promise.all(
  Array.from({ length: Number(values.clients) }, async () => {
    while (next < requests) {
      const number = next++;
      await kinds[names[number % names.length]!]!((number * 7) % prompts.length);
      if (number === Math.floor(requests / 4)) memory = process.memoryUsage.rss();
    }
  }),
);
while (server.engine.counts.live + server.engine.counts.waiting > 0) {
  await new Promise((resolve) => setImmediate(resolve));
}
const seconds = (performance.now() - started) / 1000;
const grown = (process.memoryUsage.rss() - memory) / 1e6;
console.log(
  `${requests} requests in ${seconds.toFixed(0)} s, ${wrong.length} wrong; resident memory ` +
    `changed by ${grown.toFixed(0)} MB after the first quarter (now ${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB)`,
);
for (const text of wrong.slice(0, 10)) console.log(text);
await server.close();
model.dispose();
process.exitCode = wrong.length === 0 ? 0 : 1;
