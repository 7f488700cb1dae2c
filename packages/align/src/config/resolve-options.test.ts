import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { defineDpoOptions } from '../methods/pairs/dpo-options.ts';
import type { PairedObjective } from '../objectives/paired.ts';
import { pairedObjectives } from '../objectives/registry.ts';
import { ConfigError } from './config-error.ts';
import { resolveOptions } from './resolve-options.ts';
import { writeConfigYaml } from './write-config.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const definition = defineDpoOptions(['sigmoid', 'ipo', 'hinge']);
const needed = { data: ['rows.jsonl'], output: 'runs/x' };
const resolve = (flags: Record<string, unknown>, config: string | null = null) =>
  resolveOptions(definition, { flags, config });

function file(text: string): string {
  const path = join(folder, 'config.yaml');
  writeFileSync(path, text);
  return path;
}

function problems(flags: Record<string, unknown>, yaml?: string): string[] {
  try {
    resolve(flags, yaml === undefined ? null : file(yaml));
  } catch (error) {
    if (error instanceof ConfigError) {
      return error.problems.map((problem) => problem.replace(`${folder}/`, ''));
    }
    throw error;
  }
  return [];
}

describe('precedence', () => {
  test('flags win over YAML, YAML over defaults', () => {
    const path = file('beta: 0.3\nepochs: 2\nloss: ipo\ndata: [a.jsonl]\noutput: runs/a\n');
    const options = resolve({ beta: '0.5' }, path);
    expect(options).toMatchObject({ beta: 0.5, epochs: 2, loss: ['ipo'], batchSize: 8 });
  });

  test('a flag for rows replaces tokens from YAML', () => {
    const path = file('micro_batch_tokens: 512\n');
    const options = resolve({ ...needed, microBatchSize: '2' }, path);
    expect([options.microBatchSize, options.microBatchTokens]).toEqual([2, null]);
  });

  test('an empty YAML file gives all defaults', () => {
    expect(resolve(needed, file('# nothing\n'))).toEqual(resolve(needed));
  });
});

describe('defaults that depend on other options', () => {
  test('the learning rate follows the mode', () => {
    expect(resolve(needed).learningRate).toBe(1e-6);
    expect(resolve({ ...needed, lora: true }).learningRate).toBe(1e-4);
    expect(resolve({ ...needed, adapter: 'runs/a/final' })).toMatchObject({
      lora: true,
      learningRate: 1e-4,
    });
    expect(resolve({ ...needed, learningRate: '3e-4' }).learningRate).toBe(3e-4);
  });

  test('the learning rate follows the objective: of several, the smallest', () => {
    const rateOf = (own: object): number =>
      resolveOptions(defineDpoOptions(), { flags: { ...needed, ...own } }).learningRate;
    const [unheld] = pairedObjectives.flatMap((one: PairedObjective) => one.loraRate ?? []);
    expect(unheld).toBeLessThan(1e-4);
    for (const loss of ['simpo', 'alphapo', 'slic', 'slic,chosen_nll', 'sigmoid,simpo']) {
      expect(rateOf({ loss, lora: true }), loss).toBe(unheld);
    }
    for (const loss of ['ipo', 'orpo', 'cpo', 'plackett_luce']) {
      expect(rateOf({ loss, lora: true }), loss).toBe(1e-4);
    }
    expect(rateOf({ loss: 'simpo' })).toBe(1e-6);
    expect(rateOf({ loss: 'simpo', lora: true, learningRate: '1e-4' })).toBe(1e-4);
  });

  test('help names the objectives with another default, from the same data', () => {
    const { shownDefault } = definition.descriptors.find(({ name }) => name === 'learningRate')!;
    for (const one of pairedObjectives as readonly PairedObjective[]) {
      const named = new RegExp(`\\b${one.name}\\b`).test(shownDefault!);
      expect(named, one.name).toBe(one.loraRate !== undefined);
    }
    expect(shownDefault).toContain('1e-4');
  });

  test('passes are filled by tokens by default, or by rows if given', () => {
    expect(resolve(needed).microBatchTokens).toBe('auto');
    expect(resolve({ ...needed, microBatchTokens: '512' }).microBatchTokens).toBe(512);
    expect(resolve({ ...needed, microBatchTokens: 'none' }).microBatchTokens).toBe('auto');
    const path = file('micro_batch_tokens: auto\n');
    expect(resolve({ ...needed, microBatchSize: 4 }, path).microBatchTokens).toBeNull();
    expect(resolve({ ...needed, microBatchSize: 4 }).microBatchTokens).toBeNull();
  });

  test('the reference is precomputed if it would be a second model', () => {
    expect(resolve(needed).precomputeReference).toBe(true);
    expect(resolve({ ...needed, lora: true }).precomputeReference).toBe(false);
    expect(resolve({ ...needed, lora: true, reference: 'm' }).precomputeReference).toBe(true);
    const free = defineDpoOptions(['simpo']);
    const flags = { ...needed, loss: 'simpo', reference: 'none' };
    expect(resolveOptions(free, { flags }).precomputeReference).toBe(false);
    expect(resolve({ ...needed, precomputeReference: false }).precomputeReference).toBe(false);
  });

  test('the weights of objectives are 1 each', () => {
    expect(resolve({ ...needed, loss: 'sigmoid,ipo' }).lossWeights).toEqual([1, 1]);
  });
});

describe('values in a file', () => {
  const from = (yaml: string) => resolve(needed, file(yaml));

  test('mean the same as in flags', () => {
    expect(from('max_grad_norm: none\nadapter: none\neval_data: none\n')).toMatchObject({
      maxGradNorm: null,
      adapter: null,
      evalData: null,
    });
    expect(
      from('learning_rate: "1e-5"\nmax_length: 1_000\nbatch_size: 1e1\nlora: yes\n'),
    ).toMatchObject({ learningRate: 1e-5, maxLength: 1000, batchSize: 10, lora: true });
    expect(from('loss: sigmoid,ipo\nlora_layers: 0,4,20-29\n')).toMatchObject({
      loss: ['sigmoid', 'ipo'],
      loraLayers: ['0', '4', '20-29'],
    });
    expect(from('model: 2024_01\ndata: [1e5, true]\n')).toMatchObject({ model: '2024_01' });
  });

  test('in quotes are text', () => {
    expect(from('adapter: "none"\n').adapter).toBe('none');
    expect(from('eval_data: [none]\n').evalData).toEqual(['none']);
    expect(from('max_grad_norm: "none"\n').maxGradNorm).toBeNull();
  });

  test('that their option does not accept are refused with their place', () => {
    expect(problems(needed, 'batch_size: none\n')).toEqual([
      'config.yaml:1:13: batch_size: expected a whole number, found "none"',
    ]);
    expect(problems(needed, 'seed: 9007199254740993\n')).toEqual([
      'config.yaml:1:7: seed: expected a whole number, found "9007199254740993": whole numbers must be within ±9007199254740991 to be exact',
    ]);
    expect(problems(needed, 'beta: {a: 1}\n')[0]).toContain(
      'expected a number, or none, found {"a":"1"}',
    );
    expect(problems(needed, 'model:\n')[0]).toContain('model: expected text, found null');
    expect(problems(needed, '<<: {beta: 1}\n')[0]).toContain('merge keys (<<) are not supported');
  });
});

describe('errors', () => {
  test('an unknown key names file, line, column and the nearest key', () => {
    expect(problems(needed, 'beta: 0.1\nlearning-rat: 1\n')).toEqual([
      'config.yaml:2:1: unknown key "learning-rat"; did you mean "learning_rate"?',
    ]);
  });

  test("a name from TRL is answered with Keel's name", () => {
    expect(problems(needed, 'num_train_epochs: 3\n')).toEqual([
      expect.stringMatching(/^config\.yaml:1:1: .*"num_train_epochs".*\bepochs$/),
    ]);
  });

  test('a wrong type in YAML is reported with its place and the expected type', () => {
    expect(
      problems(needed, 'epochs: 1\nbeta: high\nshuffle: maybe\nloss: [sigmoid, ipoo]\n'),
    ).toEqual([
      'config.yaml:3:10: shuffle: expected true or false, found "maybe"',
      'config.yaml:4:7: loss: found "ipoo"; did you mean "ipo"? Expected one of sigmoid, ipo, hinge',
      'config.yaml:2:7: beta: expected a number, or none, found "high"',
    ]);
  });

  test('ranges are checked', () => {
    const flags = {
      ...needed,
      beta: '0',
      labelSmoothing: '0.6',
      batchSize: '1.5',
      maxSteps: 'ten',
    };
    expect(problems(flags)).toEqual([
      '--max-steps: expected a whole number, or none, found "ten"',
      '--batch-size: expected a whole number, found 1.5',
      '--beta: expected a number above 0, found 0',
      '--label-smoothing: expected a number of at most 0.5, found 0.6',
    ]);
  });

  test('a missing required option is named with its description', () => {
    expect(problems({ data: ['x'] })).toEqual([
      "--output (in YAML output) is required: the run's folder, for example runs/first",
    ]);
  });

  test('a number or a word', () => {
    expect(problems({ ...needed, microBatchTokens: 'many' })).toEqual([
      '--micro-batch-tokens: expected a whole number, or auto, or none, found "many"',
    ]);
    expect(problems({ ...needed, microBatchTokens: '0' })).toEqual([
      '--micro-batch-tokens: expected a number of at least 1, found 0',
    ]);
  });

  test('layers are numbers or ranges', () => {
    expect(resolve({ ...needed, loraLayers: ['0,4,20-29'] }).loraLayers).toEqual([
      '0',
      '4',
      '20-29',
    ]);
    const path = file('lora_layers: [0, 4]\n');
    expect(resolve(needed, path).loraLayers).toEqual(['0', '4']);
    expect(problems({ ...needed, loraLayers: ['last'] })).toEqual([
      expect.stringMatching(/^--lora-layers: .*\b20-29/),
    ]);
  });

  test('contradictory options are named', () => {
    expect(problems({ ...needed, microBatchSize: 2, microBatchTokens: 100 })).toEqual([
      expect.stringMatching(/^--micro-batch-tokens: .*--micro-batch-size/),
    ]);
    expect(problems({ ...needed, microBatchSize: 16 })).toEqual([
      expect.stringMatching(/^--micro-batch-size: .*--batch-size \(8\).* 16/),
    ]);
    expect(problems({ ...needed, loss: 'sigmoid', lossWeights: '1,2' })).toEqual([
      expect.stringMatching(/^--loss-weights: expected 1.*sigmoid.*found 2/),
    ]);
    expect(problems({ ...needed, resume: true, overwrite: true })).toHaveLength(1);
    expect(problems({ ...needed, reference: 'none' })).toEqual([
      expect.stringMatching(/^--reference: .*\bsigmoid\b/),
    ]);
    expect(problems({ ...needed, loraLayers: ['1-0'] })).toEqual([
      expect.stringMatching(/^--lora-layers: .*\b1-0\b/),
    ]);
  });

  test('broken YAML, a list at the top, a repeated key and flags in a file', () => {
    expect(problems(needed, 'beta: [1\n')[0]).toMatch(/^config.yaml:2:1: not valid YAML/);
    expect(problems(needed, 'a: 1\na: 2\n')[0]).toBe(
      'config.yaml:2:1: the key "a" is a duplicate. Remove it',
    );
    expect(problems(needed, '- beta\n')[0]).toMatch(
      /^config.yaml:1:1: expected a mapping of options.*found a list/,
    );
    expect(problems(needed, 'resume: true\n')).toEqual([
      expect.stringMatching(/^config\.yaml:1:1: "resume" .*--resume$/),
    ]);
    expect(() => resolve(needed, join(folder, 'absent.yaml'))).toThrow(/absent\.yaml: /);
  });

  test('an unknown flag', () => {
    expect(problems({ ...needed, bate: 1 })).toEqual([
      'unknown option "bate"; did you mean "beta"?',
    ]);
  });
});

test('config.yaml contains every option and reads back as the same options', () => {
  const options = resolve({ ...needed, lora: true, loss: 'sigmoid,ipo', device: 'cpu' });
  const text = writeConfigYaml(definition, options);
  expect(Object.keys(parse(text)).sort()).toEqual(
    definition.descriptors
      .filter(({ flagOnly, sparse, name }) => !flagOnly && (!sparse || name === 'labelSmoothing'))
      .map(({ yamlKey }) => yamlKey)
      .sort(),
  );
  expect(resolve({}, file(text))).toEqual(options);
});

describe('--profile', () => {
  test('takes a file or no value, and is not saved', () => {
    expect(resolve(needed)).toMatchObject({ profile: null, profileSteps: '2-4' });
    // The command line's value for a flag without one.
    expect(resolve({ ...needed, profile: true }).profile).toBe('');
    const options = resolve({ ...needed, profile: 'trace.json', profileSteps: '3' });
    expect(options).toMatchObject({ profile: 'trace.json', profileSteps: '3' });
    expect(writeConfigYaml(definition, options)).not.toContain('profile');
  });

  test('invalid steps are refused', () => {
    expect(problems({ ...needed, profileSteps: '4-2' })).toEqual([
      expect.stringMatching(/^--profile-steps: .*2-4/),
    ]);
  });
});
