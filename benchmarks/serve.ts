// Measures servers of the OpenAI API: tokens a second, time to the first token and time per token,
// at several numbers of clients. Servers are measured in turns, in one run.
//   node benchmarks/serve.ts --server keel=http://127.0.0.1:8000
//     [--server llama.cpp=http://127.0.0.1:8080] [--clients 1,8,32] [--new-tokens 64]
//     [--requests 4] [--repeats 3] [--shared-tokens 0]
// Each client sends its requests one after the other. --requests is per client.
import { parseArgs } from 'node:util';
import OpenAI from 'openai';

const { values } = parseArgs({
  options: {
    server: { type: 'string', multiple: true },
    clients: { type: 'string', default: '1,8,32' },
    'new-tokens': { type: 'string', default: '64' },
    requests: { type: 'string', default: '4' },
    repeats: { type: 'string', default: '3' },
    'shared-tokens': { type: 'string', default: '0' },
  },
});
const servers = (values.server ?? []).map((text) => {
  const [name, url] = text.split(/=(.*)/s) as [string, string];
  // A server may have closed an idle connection while the others were measured.
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 2 });
  return { name, client };
});
if (servers.length === 0) throw new Error('Pass at least one --server name=url');

const newTokens = Number(values['new-tokens']);
const requests = Number(values.requests);
const topics = ['rain', 'rivers', 'bread', 'clocks', 'bees', 'maps', 'glass', 'music'];
const shared = 'You are a careful assistant. '.repeat(
  Math.ceil(Number(values['shared-tokens']) / 6),
);

/** A chat about something that no other request asks. */
const prompt = (number: number): string =>
  `${shared}Question ${number}: please explain in detail how ${topics[number % topics.length]} ` +
  `and ${topics[(number * 5 + 3) % topics.length]} have shaped the history of towns.`;

interface Measured {
  firstToken: number;
  perToken: number;
  tokens: number;
}

async function oneRequest(client: OpenAI, model: string, number: number): Promise<Measured> {
  const started = performance.now();
  const stream = await client.chat.completions.create({
    ...{ model, messages: [{ role: 'user', content: prompt(number) }] },
    ...{ temperature: 0, max_tokens: newTokens, stream: true },
  });
  let first = 0;
  let pieces = 0;
  for await (const { choices } of stream) {
    if (!choices[0]?.delta.content) continue;
    pieces += 1;
    if (pieces === 1) first = performance.now();
  }
  const ended = performance.now();
  return {
    ...{ firstToken: first - started, tokens: pieces },
    perToken: (ended - first) / Math.max(1, pieces - 1),
  };
}

const median = (numbers: number[]): number =>
  numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

let number = Math.floor(Date.now() / 1000) % 100_000;
async function measure({ client }: (typeof servers)[number], clients: number) {
  const model = (await client.models.list()).data[0]!.id;
  const started = performance.now();
  const all = await Promise.all(
    Array.from({ length: clients }, async () => {
      const own: Measured[] = [];
      for (let i = 0; i < requests; i++) own.push(await oneRequest(client, model, number++));
      return own;
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  const flat = all.flat();
  return {
    rate: flat.reduce((sum, { tokens }) => sum + tokens, 0) / seconds,
    firstToken: median(flat.map(({ firstToken }) => firstToken)),
    perToken: median(flat.map(({ perToken }) => perToken)),
  };
}

console.log('server            clients  tokens/s  first token, ms  per token, ms');
for (const server of servers) await measure(server, 1);
for (const clients of values.clients.split(',').map(Number)) {
  const found = new Map(
    servers.map(({ name }) => [name, [] as Awaited<ReturnType<typeof measure>>[]]),
  );
  for (let repeat = 0; repeat < Number(values.repeats); repeat++) {
    for (const server of servers) found.get(server.name)!.push(await measure(server, clients));
  }
  for (const [name, runs] of found) {
    const of = (key: 'rate' | 'firstToken' | 'perToken'): number =>
      median(runs.map((run) => run[key]));
    console.log(
      `${name.padEnd(17)} ${String(clients).padStart(7)} ${of('rate').toFixed(1).padStart(9)} ` +
        `${of('firstToken').toFixed(0).padStart(16)} ${of('perToken').toFixed(1).padStart(14)}`,
    );
  }
}
