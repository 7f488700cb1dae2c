import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { ConfigError } from '../config/config-error.ts';
import { resolveOptions } from '../config/resolve-options.ts';
import { type CompareOptions, compareDefinition } from './compare-options.ts';
import { readPlans } from './read-plans.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-plans-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Options as parsed from the command line. */
function optionsOf(flags: Record<string, unknown>, yaml?: string): CompareOptions {
  const config = yaml === undefined ? null : join(folder, 'compare.yaml');
  if (config !== null) writeFileSync(config, yaml!);
  const given = { data: ['x'], evalData: ['y'], output: 'z', ...flags, ...(config && { config }) };
  return resolveOptions(compareDefinition, { flags: given as never, config });
}

const summary = (options: CompareOptions) =>
  readPlans(options).map(({ group, beta }) => [group, beta]);

it('compares five objectives by default, each with its own beta', () => {
  expect(summary(optionsOf({}))).toEqual([
    ['sigmoid-b0.1', 0.1],
    ['ipo-b0.1', 0.1],
    ['kto-b0.1', 0.1],
    ['simpo-b2', 2],
    ['orpo-b0.1', 0.1],
  ]);
});

it('combines objectives with betas, except those that have none', () => {
  const options = optionsOf({ objectives: 'dpo,chosen_nll,dpo+orpo', betas: '0.1,0.5' });
  expect(summary(options)).toEqual([
    ['dpo-b0.1', 0.1],
    ['dpo-b0.5', 0.5],
    ['chosen_nll', null],
    ['dpo+orpo-b0.1', 0.1],
    ['dpo+orpo-b0.5', 0.5],
  ]);
  // In a sum whose objectives have their own betas, each keeps its own.
  expect(summary(optionsOf({ objectives: 'dpo+simpo' }))).toEqual([['dpo+simpo', null]]);
});

it('reads entries with their own options from the YAML file', () => {
  const yaml = `betas: [0.1, 0.2]
entries:
  - objective: simpo
    name: careful
    beta: 1.5
    simpo_gamma: 0.5
    learning_rate: 1e-6
  - objective: sigmoid+0.2*chosen_nll
    name: rpo
  - objective: kto
    desirable_weight: 1.5
`;
  const plans = readPlans(optionsOf({}, yaml));
  expect(plans.map(({ group, beta }) => [group, beta])).toEqual([
    ['careful', 1.5],
    ['rpo-b0.1', 0.1],
    ['rpo-b0.2', 0.2],
    ['kto-b0.1', 0.1],
    ['kto-b0.2', 0.2],
  ]);
  expect(plans[0]!.own.get('simpoGamma')!.value).toBe(0.5);
  expect(plans[0]!.objective.loss).toEqual(['simpo']);
  // Flags add more entries.
  expect(summary(optionsOf({ objectives: 'ipo' }, yaml))).toHaveLength(7);
});

it('reports every problem with its place', () => {
  const yaml = `entries:
  - objective: simop
  - name: nothing
  - objective: simpo
    simpo_gama: 1
  - objective: ipo
    batch_size: 4
    ranking_pairs: all
  - objective: ipo
    name: a b
  - 3
`;
  const file = join(folder, 'compare.yaml');
  let problems: readonly string[] = [];
  try {
    readPlans(optionsOf({}, yaml));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems = error.problems;
  }
  expect(problems.slice(0, 7)).toEqual([
    `${file}:2:16: unknown objective "simop"; did you mean "simpo"?`,
    `${file}:3:5: an entry needs an objective`,
    `${file}:5:5: unknown key "simpo_gama"; did you mean "simpo_gamma"?`,
    `${file}:7:5: batch_size cannot be set for a single entry; set it outside of entries`,
    `${file}:8:5: ranking_pairs would give this entry other rows or another order than the others. Remove it`,
    `${file}:10:11: "a b" cannot be an entry's name, because it also names a folder. Use letters, digits, and . _ + -`,
    `${file}:11:5: expected an entry such as "objective: simpo"`,
  ]);
});

it('refuses two entries with one name, and an unknown objective in a flag', () => {
  expect(() => readPlans(optionsOf({ objectives: 'dpo,dpo' }))).toThrow(
    'two entries are named "dpo-b0.1"',
  );
  expect(() => optionsOf({ objectives: 'dpo,ktoo' })).toThrow(
    '--objectives: unknown objective "ktoo"; did you mean "kto"?',
  );
});

it('refuses the same run under two names, but not different runs', () => {
  expect(() => readPlans(optionsOf({ objectives: 'dpo,sigmoid' }))).toThrow(
    '"sigmoid-b0.1" and "dpo-b0.1" are the same run',
  );
  const entries = (own: string) =>
    optionsOf(
      {},
      `entries:\n  - {objective: dpo, name: one}\n  - {objective: sigmoid, name: two${own}}\n`,
    );
  expect(() => readPlans(entries(''))).toThrow('"two-b0.1" and "one-b0.1" are the same run');
  expect(() => readPlans(entries(', beta: 0.1'))).toThrow('are the same run');
  expect(summary(entries(', beta: 0.2'))).toHaveLength(2);
  expect(summary(entries(', label_smoothing: 0.1'))).toHaveLength(2);
});

it("explains another trainer's name for an objective", () => {
  expect(() => readPlans(optionsOf({ objectives: 'sft,dpo' }))).toThrow(
    'unknown objective "sft"; write chosen_nll_by_token',
  );
});
