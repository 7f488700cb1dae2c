import { globSync } from 'node:fs';
import { readRecipe } from '@keel/align';
import { expect, test } from 'vitest';
import { jobVerbs } from './job-stages.ts';

test.each(globSync('recipes/*.yaml'))('%s is a recipe', (path) => {
  const { stages } = readRecipe(path, { jobs: jobVerbs });
  expect(stages.length).toBeGreaterThan(0);
});

test('results of stages are files in their folders, and rows are among them', () => {
  for (const { results, rows } of jobVerbs) {
    expect(results.length).toBeGreaterThan(0);
    expect(results).toEqual(expect.arrayContaining([...rows]));
  }
});

test('a stage cannot read stdin', async () => {
  const generate = jobVerbs.find(({ name }) => name === 'generate')!;
  const options = { prompt: '-', prompts: null, output: 'out' };
  await expect(generate.check!(options, [])).rejects.toThrow(/^prompt: .*stdin/);
});
