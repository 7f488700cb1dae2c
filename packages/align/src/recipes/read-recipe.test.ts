import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ConfigError } from '../config/config-error.ts';
import { readRecipe } from './read-recipe.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-recipe-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'road.yaml');

const read = (yaml: string, output: string | null = null) => {
  writeFileSync(path, yaml);
  return readRecipe(path, { output });
};

function problems(yaml: string): string[] {
  try {
    read(yaml);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) => problem.replace(`${folder}/`, ''));
  }
  return [];
}

describe('a recipe', () => {
  test('gives each stage its own options over the defaults that its verb has', () => {
    const { output, stages } = read(
      'output: runs/x\ndefaults:\n  model: base\n  lora: true\n  beta: 0.3\n  micro_batch_tokens: 64\nstages:\n' +
        '  sft:\n    data: a.jsonl\n    micro_batch_size: 2\n' +
        '  second:\n    verb: dpo\n    data: [b.jsonl, c.jsonl]\n    lora: false\n',
    );
    expect(output).toBe('runs/x');
    const [sft, second] = stages;
    expect(sft).toMatchObject({ name: 'sft', number: 1, verb: 'sft' });
    expect(sft!.options).toMatchObject({
      ...{ model: 'base', data: ['a.jsonl'], output: 'runs/x/sft', lora: true },
      // One of the two replaces the other, wherever it is set.
      ...{ microBatchSize: 2, microBatchTokens: null, learningRate: 2e-4 },
    });
    expect(sft!.options).not.toHaveProperty('beta');
    expect(second!.options).toMatchObject({
      ...{ model: 'base', data: ['b.jsonl', 'c.jsonl'], output: 'runs/x/second' },
      ...{ lora: false, beta: 0.3, microBatchTokens: 64 },
    });
  });

  test('writes into the given folder, otherwise into runs/ and its name', () => {
    const yaml = 'stages:\n  dpo:\n    data: a.jsonl\n';
    expect(read(yaml).output).toBe('runs/road');
    expect(read(`output: there\n${yaml}`, 'here').output).toBe('here');
  });

  test('replaces references to earlier stages with their results', () => {
    const { stages } = read(
      'output: out\nstages:\n' +
        '  lora: {verb: sft, data: a, lora: true, model: base}\n' +
        `  full: {verb: sft, data: a, model: "\${stages.lora}"}\n` +
        `  on: {verb: dpo, data: a, adapter: "\${stages.lora}"}\n` +
        `  both: {verb: dpo, data: a, model: "\${stages.full}", reference: "\${stages.lora}"}\n`,
    );
    const [, full, on, both] = stages;
    expect(full!.options.model).toBe('out/lora/merged');
    expect(full!.from).toEqual(new Map([['model', ['lora']]]));
    // The adapter's own base unless another is named.
    expect(on!.options).toMatchObject({ adapter: 'out/lora/final', model: 'base', lora: true });
    expect(both!.options).toMatchObject({ model: 'out/full/final', reference: 'out/lora/merged' });
  });
});

describe('problems are reported with file, line and column', () => {
  const stage = 'stages:\n  sft:\n    data: a.jsonl\n';

  test.each([
    ['stagse:\n', ['road.yaml:1:1: unknown key "stagse"; did you mean "stages"?']],
    [
      'output: x\n',
      ['road.yaml: stages is required: the verbs to run with their options, by name'],
    ],
    [`${stage}    bta: 1\n`, ['road.yaml:4:5: unknown key "bta"; did you mean "data"?']],
    [`${stage}    zzzzzz: 1\n`, [/road\.yaml:4:5: .*"zzzzzz".* data, .*learning_rate/s]],
    [`${stage}    epocs: 2\n`, ['road.yaml:4:5: unknown key "epocs"; did you mean "epochs"?']],
    [`${stage}    num_train_epochs: 2\n`, [/road\.yaml:4:5: .*"num_train_epochs".*\bepochs$/]],
    [`${stage}    epochs: many\n`, ['road.yaml:4:13: epochs: expected a number, found "many"']],
    ['stages:\n  sft:\n    lora: true\n', ['road.yaml:2:3: stage "sft": data is required']],
    [`${stage}    resume: true\n`, [/road\.yaml:4:5: "resume"/]],
    [`${stage}    output: x\n`, [/road\.yaml:4:5: .*runs\/road\/sft/]],
    ['stages:\n  first:\n    data: a\n', [/road\.yaml:2:3: .*"first"/]],
    [
      'stages:\n  first:\n    verb: dop\n    data: a\n',
      ['road.yaml:3:11: unknown verb "dop"; did you mean "dpo"?'],
    ],
    ['stages:\n  a/b:\n    verb: dpo\n', [/road\.yaml:2:3: "a\/b"/]],
    [
      `defaults:\n  epocs: 2\n${stage}`,
      ['road.yaml:2:3: unknown key "epocs"; did you mean "epochs"?'],
    ],
    [
      `${stage}  dpo:\n    data: a\n    model: \${stages.stf}\n`,
      ['road.yaml:6:12: model: unknown stage "stf"; did you mean "sft"?'],
    ],
    [
      `stages:\n  dpo:\n    data: a\n    model: \${stages.sft}\n  sft:\n    data: a\n`,
      [/road\.yaml:4:12: model: .*"sft".*"dpo"/],
    ],
    [
      `${stage}  dpo:\n    data: a\n    model: \${stages.sft}/final\n`,
      [/road\.yaml:6:12: model: .*\$\{stages\.NAME\}.*\$\{stages\.sft\}\/final/],
    ],
    [
      `${stage}  dpo:\n    data: a\n    adapter: \${stages.sft}\n`,
      [/road\.yaml:6:14: adapter: .*"sft".*model: \$\{stages\.sft\}/],
    ],
    [
      `${stage}  dpo:\n    data: \${stages.sft}\n`,
      [/road\.yaml:5:11: data: .*model, reference, adapter/],
    ],
    [
      `stages:\n  reward:\n    data: a\n  dpo:\n    data: a\n    model: \${stages.reward}\n`,
      [/road\.yaml:6:12: model: .*language model.*"reward" \(keel reward\)/],
    ],
  ])('%j', (yaml, expected) => {
    const found = problems(yaml);
    expect(found).toHaveLength(expected.length);
    for (const [at, text] of expected.entries()) expect(found[at]).toMatch(text);
  });

  test('reports all of them at once, and none that follows from another', () => {
    const found = problems(
      `stages:\n  sft:\n    data: a\n    epocs: 2\n    beta: x\n    batch_size: 0\n  dpo:\n    data: a\n    model: \${stages.sft}\n    bata: 1\n`,
    );
    expect(found.map((text) => text.slice(0, text.indexOf(': ')))).toEqual([
      'road.yaml:4:5',
      'road.yaml:5:5',
      'road.yaml:6:17',
      'road.yaml:10:5',
    ]);
  });
});
