// Options of single objectives: which objectives take them, their defaults, and errors before
// anything is loaded.
import { expect, test } from 'vitest';
import { ConfigError } from '../config/config-error.ts';
import { resolveOptions } from '../config/resolve-options.ts';
import { yamlValues } from '../config/write-config.ts';
import { defineDpoOptions } from '../methods/pairs/dpo-options.ts';
import { pairedOtherNames } from './other-names.ts';
import { pairedObjectiveNames } from './registry.ts';

const definition = defineDpoOptions(pairedObjectiveNames);
const resolve = (flags: Record<string, string | string[] | boolean>) =>
  resolveOptions(definition, { flags: { data: ['x.jsonl'], output: 'run', ...flags } });

function problem(flags: Record<string, string | string[]>): string {
  try {
    resolve(flags);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

test('each objective has its own beta and options, and no others', () => {
  const dpo = resolve({});
  expect(dpo).toMatchObject({ beta: 0.1, labelSmoothing: 0 });
  expect(dpo.simpoGamma).toBeUndefined();
  const simpo = resolve({ loss: 'simpo', simpoGamma: '0.7' });
  expect(simpo).toMatchObject({ beta: 2, simpoGamma: 0.7 });
  expect(simpo.labelSmoothing).toBeUndefined();
  expect(resolve({ loss: 'simpo', beta: '3' })).toMatchObject({ beta: 3, simpoGamma: 1 });
});

test('each part of a mixture has its own beta by default', () => {
  expect(resolve({ loss: 'sigmoid,simpo' })).toMatchObject({ beta: null, simpoGamma: 1 });
  expect(resolve({ loss: 'sigmoid,simpo', beta: '0.5' })).toMatchObject({ beta: 0.5 });
  expect(resolve({ loss: 'sigmoid,ipo' })).toMatchObject({ beta: 0.1 });
});

test('config.yaml has the options of the chosen objectives only, and reads back the same', () => {
  const values = yamlValues(definition, resolve({ loss: 'odpo' }));
  expect(values).toMatchObject({ loss: ['odpo'], odpo_alpha: 1, odpo_scaling: 'log', beta: 0.1 });
  expect(Object.keys(values).filter((key) => /simpo|label_smoothing|rainbow/.test(key))).toEqual(
    [],
  );
});

test('an option that no chosen objective takes is refused, and one that does is named', () => {
  expect(problem({ loss: 'ipo', simpoGamma: '0.5' })).toMatch(
    /--simpo-gamma: .*\bipo\b.*simpo, alphapo\b/,
  );
  expect(problem({ loss: 'ipo', labelSmoothing: '0.1' })).toMatch(
    /--label-smoothing: .*\bipo\b.*sigmoid, robust/,
  );
});

test('ranges depend on the chosen objective', () => {
  expect(resolve({ labelSmoothing: '0.5' }).labelSmoothing).toBe(0.5);
  expect(problem({ loss: 'robust', labelSmoothing: '0.5' })).toContain(
    '--label-smoothing: expected a number below 0.5 for robust: with half of the labels flipped',
  );
  expect(problem({ loss: 'exo', labelSmoothing: '0' })).toMatch(/above 0 for exo/);
  expect(problem({ loss: 'discopop', discopopTau: '2' })).toMatch(/--discopop-tau: .*below 1/);
  expect(problem({ beta: '0' })).toContain('--beta: expected a number above 0, found 0');
});

test('beta is refused if the objective has none', () => {
  expect(problem({ loss: 'rebel', beta: '0.1' })).toMatch(/--beta: .*\brebel\b/);
  expect(resolve({ loss: 'rebel' }).beta).toBeNull();
  expect(resolve({ loss: 'rebel,sigmoid', beta: '0.2' }).beta).toBe(0.2);
});

test('every objective is valid with its defaults', () => {
  for (const loss of pairedObjectiveNames) expect(resolve({ loss }).loss).toEqual([loss]);
});

test("another trainer's name is answered with Keel's name, not the nearest word", () => {
  expect(problem({ loss: 'dpo' })).toMatch(/found "dpo"; write sigmoid$/m);
  expect(problem({ loss: 'SFT' })).toContain('; write chosen_nll_by_token');
  expect(problem({ loss: 'sigmoid,kto' })).toContain('; write keel kto');
  expect(problem({ loss: 'sigmoit' })).toContain('; did you mean "sigmoid"?');
});

test("the suggested names are Keel's", () => {
  for (const written of Object.values(pairedOtherNames)) {
    const [first] = written.split(/[ ,]/);
    if (first !== 'keel') expect(pairedObjectiveNames).toContain(first);
  }
  for (const name of Object.keys(pairedOtherNames))
    expect(pairedObjectiveNames).not.toContain(name);
});

test('weights that are all 0 are refused', () => {
  expect(problem({ loss: 'sigmoid,simpo', lossWeights: '0,0' })).toContain('--loss-weights: ');
  expect(resolve({ loss: 'sigmoid,simpo', lossWeights: '0,1' }).lossWeights).toEqual([0, 1]);
});
