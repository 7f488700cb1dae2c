// Whole runs whose answers match a constraint.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SampleLine } from '../../runs/samples-log.ts';
import { expectSameRun } from '../../testing/run-files.ts';
import { stopping } from '../../testing/stopping.ts';
import { writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import type { RunPlan } from '../../training/run-plan.ts';
import type { RunHooks } from '../../training/run-training.ts';
import { trainD2po } from '../d2po/d2po.ts';
import { type TrainGrpoOptions, trainGrpo } from '../grpo/grpo.ts';
import { trainPpo } from '../ppo/ppo.ts';
import { trainRemax } from '../remax/remax.ts';
import { writePrompts } from './fixtures/prompt-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-constrained-run-'));
const inside = (name: string): string => join(folder, name);
let data: string;
let reward: string;
let runs = 0;
beforeAll(() => {
  writeTinyChatModel(inside('model'));
  data = writePrompts(folder);
  reward = inside('number.mjs');
  writeFileSync(reward, 'export default ({ text }) => Number(text) / 1000 + text.length;\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const optionsOf = (own: Partial<TrainGrpoOptions> = {}): TrainGrpoOptions => ({
  model: inside('model'),
  data: [data],
  evalData: [data],
  output: inside(`run-${runs++}`),
  reward,
  precision: 'fp32',
  learningRate: 1e-2,
  scheduler: 'constant',
  batchSize: 2,
  numGenerations: 2,
  loraRank: 4,
  maxNewTokens: 8,
  maxSteps: 3,
  threads: 1,
  ...own,
});

function linesOf<Line>(output: string, file: string): Line[] {
  const text = readFileSync(join(output, file), 'utf8');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
}

const PATTERN = '[0-9]{1,3}';
const whole = /^[0-9]{1,3}$/;

describe('a run under a regular expression', () => {
  it.each([
    ['grpo', trainGrpo, { numIterations: 2, beta: 0.1 }],
    ['ppo', trainPpo, { numGenerations: 1, numIterations: 2 }],
    // A greedy baseline, and a reward that is compared with answers of the reference.
    ['remax', trainRemax, { numGenerations: 1, rewardShape: 'sigmoid' }],
    ['d2po', trainD2po, { numGenerations: 4 }],
  ] as const)('samples only answers that match, also held out: %s', async (_, train, own) => {
    const options = optionsOf({ regex: PATTERN, evalSteps: 2, ...(own as object) });
    await train({ ...options, samplePrompts: 2 } as never);
    const samples = linesOf<SampleLine>(options.output, 'samples.jsonl');
    expect(samples.filter(({ held_out }) => held_out).length).toBeGreaterThan(3);
    expect(samples.filter(({ held_out }) => !held_out).length).toBeGreaterThan(3);
    for (const { completion, ended } of samples) {
      expect(completion).toMatch(whole);
      expect(ended).toBe(true);
    }
    const answers = linesOf<{ completion: string }>(options.output, 'answers.jsonl');
    expect(answers.length).toBeGreaterThan(3);
    for (const { completion } of answers) expect(completion).toMatch(whole);
  });

  it('resumes byte for byte in the middle of a batch, and refuses another constraint', async () => {
    const shape = { regex: PATTERN, numIterations: 3, beta: 0.1, maxSteps: 5, saveSteps: 2 };
    const uninterrupted = optionsOf(shape);
    await trainGrpo(uninterrupted);
    const broken = optionsOf(shape);
    await trainGrpo(broken, stopping(2));
    await expect(trainGrpo({ ...broken, regex: '[0-9]{1,4}', resume: true })).rejects.toThrow(
      /regex/,
    );
    const { regex: _, ...without } = broken;
    await expect(trainGrpo({ ...without, resume: true })).rejects.toThrow(/regex/);
    await trainGrpo({ ...broken, resume: true });
    expectSameRun(broken.output, uninterrupted.output);
  });
});

describe('files of a constraint', () => {
  const schema = { type: 'object', properties: { a: { type: 'boolean' } }, required: ['a'] };
  const other = { ...schema, properties: { a: { type: 'null' } } };
  it.each([
    ['jsonSchema', '--json-schema', JSON.stringify(schema), JSON.stringify(other)],
    ['grammar', '--grammar', 'root ::= "yes" | "no"', 'root ::= "yes" | "nay"'],
  ])('are part of what a run is made of: %s', async (name, flag, before, after) => {
    const path = inside(`${name}.txt`);
    writeFileSync(path, before);
    writeFileSync(inside('long.mjs'), 'export default ({ text }) => text.length;\n');
    const shape = {
      [name]: path,
      reward: inside('long.mjs'),
      maxNewTokens: 24,
      evalData: null,
      saveSteps: 1,
      maxSteps: 2,
    };
    const options = optionsOf(shape);
    await trainGrpo(options, stopping(1));
    writeFileSync(path, after);
    await expect(trainGrpo({ ...options, resume: true })).rejects.toThrow(
      new RegExp(`${flag} .* has changed`),
    );
    writeFileSync(path, before);
    expect(await trainGrpo({ ...options, resume: true })).toMatchObject({ step: 2 });
  });
});

describe('the plan', () => {
  const planOf = async (own: Partial<TrainGrpoOptions>) => {
    let plan: RunPlan | null = null;
    const onEvent: RunHooks['onEvent'] = (event) => {
      if (event.type === 'plan') plan = event.plan;
    };
    const options = optionsOf({ ...own, dryRun: true });
    await trainGrpo(options, { onEvent });
    expect(existsSync(options.output)).toBe(false);
    return plan as RunPlan | null;
  };

  it('names the constraint', async () => {
    const plan = await planOf({ choices: ['yes', 'no'] });
    expect(plan!.facts.find(({ name }) => name === 'constraint')).toMatchObject({
      text: 'every answer matches --choices "yes","no"; log-probabilities are over the tokens that it allows',
      data: { kind: 'choice', choices: ['yes', 'no'] },
    });
    expect((await planOf({}))!.facts.map(({ name }) => name)).not.toContain('constraint');
  });

  it('of a dry run compiles it', async () => {
    await expect(planOf({ regex: '[0-9' })).rejects.toThrow(/^--regex: /);
    await expect(planOf({ jsonSchema: '{"type": "object", "not": {}}' })).rejects.toThrow(
      /^--json-schema: .*not/,
    );
    await expect(planOf({ grammar: inside('nowhere.gbnf') })).rejects.toThrow(/--grammar/);
    await expect(planOf({ regex: 'x', jsonObject: true })).rejects.toThrow(/Pass only one/);
  });
});
