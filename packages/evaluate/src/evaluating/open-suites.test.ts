// Suites of a run in several processes, which share the rows.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launchProcesses } from '@keel/torch/launch';
import { beforeAll, expect, test } from 'vitest';
import { cachedFolder } from '../../../align/src/testing/cached-folder.ts';
import { tinyRows, writeTinyChatModel } from '../../../align/src/testing/tiny-chat-model.ts';

const folder = cachedFolder();
const program = fileURLToPath(new URL('fixtures/train-with-suites.ts', import.meta.url));

const write = (name: string, rows: readonly object[]): string => {
  const path = join(folder, name);
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return path;
};

beforeAll(() => {
  writeTinyChatModel(join(folder, 'model'));
  write(
    'questions.jsonl',
    Array.from({ length: 5 }, (_, at) => ({
      question: `Which of these is it, after ${at}?`,
      choices: ['one', 'another one', `number ${at}`],
      answer: at % 3,
      text: `A text of its own, with ${at} in it.`,
    })),
  );
  writeFileSync(
    join(folder, 'suite.yaml'),
    `
tasks:
  - {name: choice, type: multiple-choice, data: questions.jsonl, prompt: "Q: {{question}}"}
  - {name: words, type: generation, data: questions.jsonl, prompt: question, check: "regex:/e/",
     max_new_tokens: 5, samples: 2, temperature: 1}
  - {name: texts, type: perplexity, data: questions.jsonl}
`,
  );
});

/** The suites' metrics of a run. */
async function suitesOf(processes: number, shard: string): Promise<Record<string, number>[]> {
  const output = join(folder, `run ${processes} ${shard}`);
  const rows = tinyRows(4).map(({ prompt, chosen }) => ({ prompt, completion: chosen }));
  const options = {
    ...{ model: join(folder, 'model'), data: [write('rows.jsonl', rows)], output, shard },
    ...{ precision: 'fp32', batchSize: 4, microBatchSize: 1, maxSteps: 2, learningRate: 1e-3 },
    ...{ evalSuites: [join(folder, 'suite.yaml')], evalSteps: 1, saveSteps: null, threads: 1 },
    ...{ samplePrompts: null, maxGradNorm: null },
  };
  const file = join(folder, `${processes} ${shard}.json`);
  writeFileSync(file, JSON.stringify(options));
  const said: string[] = [];
  const { exitCode } = await launchProcesses(process.execPath, [program, file], {
    ...{ processes, threads: 1 },
    onLine: (rank, line) => said.push(`[${rank}] ${line}`),
  });
  expect(exitCode, said.join('\n')).toBe(0);
  return readFileSync(join(output, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter((row) => 'suite/texts/token_perplexity' in row)
    .map((row) =>
      Object.fromEntries(
        Object.entries(row as Record<string, number>).filter(([key]) => key.startsWith('suite/')),
      ),
    );
}

test('are those of one process, whether weights are divided or not', async () => {
  const one = await suitesOf(1, 'none');
  expect(one.length).toBe(3);
  expect(Object.keys(one[0]!).length).toBeGreaterThan(4);
  for (const shard of ['none', 'full']) {
    const two = await suitesOf(2, shard);
    expect(two.length).toBe(one.length);
    expect(two[0]).toEqual(one[0]);
    // Steps round differently in two processes.
    for (const [at, row] of one.entries()) {
      for (const [key, value] of Object.entries(row)) {
        const found = two[at]![key]!;
        expect(Math.abs(found - value), key).toBeLessThanOrEqual(1e-5 * Math.abs(value));
      }
    }
  }
}, 120_000);
