// Asks a judge with a cache questions, in a process of its own: folder, first question, number of
// questions. It prints the number of each question that is answered.

import { withCache } from '../judges/cache/with-cache.ts';
import type { Judge } from '../judges/judge.ts';

const [folder, first, count] = process.argv.slice(2) as [string, string, string];

const judge: Judge = {
  ...{ name: 'constant', identity: 'constant', concurrency: 1, seesOrder: true },
  compare: async () => ({
    ...{ first: 0.25, tie: 0, usage: { promptTokens: 1, answerTokens: 1, cost: 0 } },
    // Rows that are larger than a page.
    exchanges: [{ asked: 'x'.repeat(5000), said: 'B' }],
  }),
  async [Symbol.asyncDispose]() {},
};

await using cached = withCache(judge, folder);
for (let index = 0; index < Number(count); index++) {
  const question = Number(first) + index;
  await cached.compare!({ prompt: `${question}`, answers: ['a', 'b'], extra: {} });
  process.stdout.write(`${question}\n`);
}
