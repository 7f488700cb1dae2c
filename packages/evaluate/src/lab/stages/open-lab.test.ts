import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobVerb } from '@keel/align';
import { ConfigError, defineOptions, onlineShape, option } from '@keel/align/config';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Lab } from './lab.ts';
import { openLab } from './open-lab.ts';

/** What the command line passes: the options that a lab sets, and one that it does not. */
const bestOfN: JobVerb = {
  name: 'best-of-n',
  definition: defineOptions(
    'best-of-n',
    z.strictObject({
      output: option(z.string(), { description: 'file', group: 'Output' }),
      model: option(z.string(), { description: 'model', group: 'Model and data' }),
      data: option(z.array(z.string()), { description: 'rows', group: 'Model and data' }),
      reward: option(z.string(), { description: 'reward', group: 'Reward' }),
      write: option(z.string(), { description: 'rows', group: 'Output' }),
      numGenerations: option(z.number(), { description: 'n', group: 'Sampling' }),
      temperature: onlineShape.temperature,
      maxNewTokens: onlineShape.maxNewTokens,
      batchSize: option(z.number(), { description: 'answers at a time', group: 'Machine' }),
      seed: option(z.number(), { description: 'seed', group: 'Sampling' }),
    }),
    { complete: (options) => options },
  ) as unknown as JobVerb['definition'],
  takes: {},
  defaults: [],
  results: [],
  rows: ['answers.jsonl'],
  describe: () => '',
  run: () => Promise.reject(new Error('is not run')),
};

function opened(text: string): Lab {
  const folder = mkdtempSync(join(tmpdir(), 'keel-lab-'));
  try {
    const path = join(folder, 'lab.yaml');
    writeFileSync(path, text);
    return openLab(path, { bestOfN });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function problemsOf(text: string): string {
  try {
    opened(text);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.join('\n');
    throw error;
  }
  throw new Error('the lab has no problem');
}

const start = 'output: out\nprompts: a.jsonl\neval_prompts: b.jsonl\n';
const gold = 'gold:\n  reward: length:-20\n';

describe('a lab', () => {
  const whole = `${start}max_new_tokens: 32
seed: 5
defaults:
  batch_size: 4
  lora: true
gold:
  data: pairs.jsonl
  learning_rate: 1e-3
labels:
  answers: 6
  batch_size: 64
proxies:
  pairs: [8, 32]
  noise: [0, 0.125]
  seeds: [1, 2]
  batch_size: 2
ensembles:
  rules: [minimum, lower_bound]
  weight: 2
rl:
  verb: grpo
  proxies: [p32-s2, p8-n12.5-lower_bound]
  num_generations: 2
  beta: 0.01
`;

  test('is the stages of a recipe, each with the options of its verb', () => {
    const { recipe, proxies, ensembles, gold: about } = opened(whole);
    expect(recipe.output).toBe(join('out', 'stages'));
    expect(about).toBe('a reward model, trained on pairs.jsonl');
    expect(proxies.map(({ name }) => name)).toEqual([
      ...['p8-s1', 'p8-s2', 'p8-n12.5-s1', 'p8-n12.5-s2'],
      ...['p32-s1', 'p32-s2', 'p32-n12.5-s1', 'p32-n12.5-s2'],
    ]);
    expect(ensembles).toHaveLength(8);
    const stage = (name: string) => recipe.stages.find((one) => one.name === name)!;
    expect(recipe.stages.map(({ number }) => number)).toEqual(recipe.stages.map((_, at) => at + 1));
    expect(stage('gold').options).toMatchObject({
      ...{ batchSize: 4, learningRate: 1e-3, lora: true, seed: 5 },
    });
    expect(stage('labels').options).toMatchObject({
      ...{ numGenerations: 6, batchSize: 64, maxNewTokens: 32, seed: 5, write: 'all' },
      ...{ data: ['a.jsonl'], reward: join('out', 'stages', 'gold', 'final') },
    });
    expect(stage('samples').options).toMatchObject({ numGenerations: 16, data: ['b.jsonl'] });
    expect(stage('proxy-p8-n12.5-s2').options).toMatchObject({
      ...{ batchSize: 2, seed: 2, lora: true, normalise: 'mean_and_deviation' },
      data: [join('out', 'stages', 'pairs', 'p8-n12.5.jsonl')],
    });
    expect(stage('policy-p32-s2')).toMatchObject({
      verb: 'grpo',
      options: {
        ...{ reward: join('out', 'stages', 'proxy-p32-s2', 'final'), numGenerations: 2 },
        ...{ data: ['a.jsonl'], evalData: ['b.jsonl'], bestMetric: 'eval_gold', batchSize: 4 },
        ...{ temperature: 1, maxNewTokens: 32, beta: 0.01 },
      },
    });
    const combined = stage('policy-p8-n12.5-lower_bound');
    expect(combined.options.reward).toBe(
      join('out', 'stages', 'ensemble-p8-n12.5-lower_bound', 'reward.yaml'),
    );
    expect([...combined.from]).toEqual([
      ['reward', ['ensemble-p8-n12.5-lower_bound']],
      ['gold', ['gold']],
    ]);
    // Only the ensembles that a policy is trained against have a stage.
    expect(recipe.stages.filter(({ name }) => name.startsWith('ensemble'))).toHaveLength(1);
  });

  test('takes a reward for gold; without rl, nothing is trained but proxies', () => {
    const { recipe, method, policies } = opened(`${start}${gold}proxies:\n  pairs: 8\n`);
    expect(recipe.stages.map(({ name }) => name)).toEqual([
      ...['labels', 'pairs', 'proxy-p8-s1', 'samples', 'scores-p8-s1'],
    ]);
    expect([method, policies]).toEqual([null, []]);
  });

  test('optimises the first seeds and the ensembles by default', () => {
    const more =
      'proxies:\n  pairs: 8\n  seeds: [3, 4]\nensembles:\n  rules: mean\nrl:\n  beta: 1\n';
    expect(opened(`${start}${gold}${more}`).policies.map(({ proxy }) => proxy)).toEqual([
      'p8-s3',
      'p8-mean',
    ]);
  });
});

describe('mistakes', () => {
  test('are all reported at once, with their places', () => {
    const found = problemsOf(`prompts: a.jsonl
golden: {}
gold:
  data: pairs.jsonl
proxies:
  pairs: [0]
  noise: 0.7
  seed: 3
  learning_rat: 1
best_of_n:
  answers: 1
  temperature: 2
rl:
  verb: dpo
`);
    expect(found).toMatch(/lab\.yaml: eval_prompts is required/);
    expect(found).toMatch(/lab\.yaml:2:1: unknown key "golden"; did you mean "gold"/);
    expect(found).toMatch(/lab\.yaml:6:\d+: pairs/);
    expect(found).toMatch(/lab\.yaml:7:\d+: noise/);
    expect(found).toMatch(/lab\.yaml:8:3: seed: the lab sets it. Remove it from proxies/);
    expect(found).toMatch(/lab\.yaml:9:3: .*learning_rate/);
    expect(found).toMatch(/lab\.yaml:11:\d+: answers/);
    expect(found).toMatch(/lab\.yaml:12:3: temperature: the lab sets it. Remove it from best_of_n/);
    expect(found).toMatch(/lab\.yaml:14:\d+: verb/);
  });

  test.each([
    [
      'two golds',
      'gold:\n  data: p.jsonl\n  reward: length:-20\nproxies:\n  pairs: 8\n',
      /:4:1: gold: expected either/,
    ],
    ['no gold', 'proxies:\n  pairs: 8\n', /gold: expected either reward:, or data:/],
    ['no proxies', gold, /proxies: pairs is required/],
    ['sizes that repeat', `${gold}proxies:\n  pairs: [8, 8]\n`, /listed once/],
    [
      'an ensemble of one',
      `${gold}proxies:\n  pairs: 8\nensembles:\n  rules: mean\n`,
      /ensembles: .*Add seeds/,
    ],
    [
      'a policy on an unknown proxy',
      `${gold}proxies:\n  pairs: 8\nrl:\n  proxies: p9-s1\n`,
      /rl: proxies: unknown proxy "p9-s1"; did you mean "p8-s1"/,
    ],
    [
      'an option of another method',
      `${gold}proxies:\n  pairs: 8\nrl:\n  verb: grpo\n  value_clip: 1\n`,
      /:10:3: unknown key "value_clip"/,
    ],
    ['a section that is no mapping', `${gold}proxies: 8\n`, /:6:10: expected a mapping/],
  ])('%s', (_, text, message) => {
    expect(problemsOf(`${start}${text}`)).toMatch(message);
  });
});
