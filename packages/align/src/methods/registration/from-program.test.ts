// Runs of a program: rows and reward functions as values.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ConfigError } from '../../config/config-error.ts';
import { resolveOptions } from '../../config/resolve-options.ts';
import type { FunctionInput } from '../../rewards/user-function.ts';
import { cachedFolder } from '../../testing/cached-folder.ts';
import { expectSameRun, metricsOf } from '../../testing/run-files.ts';
import { stopping } from '../../testing/stopping.ts';
import { tinyRows, writeRowsFile, writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import { tinyRun } from '../../testing/tiny-run.ts';
import { alignPairs } from '../dpo/run-dpo.ts';
import { type TrainGrpoOptions, trainGrpo } from '../grpo/grpo.ts';
import { grpoDefinition } from '../grpo/grpo-options.ts';

const folder = cachedFolder();
const inside = (name: string): string => join(folder, name);
beforeAll(() => {
  writeTinyChatModel(inside('model'));
});

const lossesOf = (output: string): unknown[] =>
  metricsOf(output).flatMap(({ loss }) => (loss === undefined ? [] : [loss]));

describe('rows', () => {
  const options = { ...tinyRun, lora: true, loraRank: 2, maxSteps: 2, batchSize: 4 };

  it('train like a file of the same rows, from an array or a stream', async () => {
    const rows = tinyRows(8) as object[];
    const file = writeRowsFile(folder, rows as never);
    async function* stream() {
      yield* rows;
    }
    const model = inside('model');
    await alignPairs({ ...options, model, data: file, output: inside('file'), loss: 'ipo' });
    const given = { ...options, model, loss: 'ipo' as const };
    await alignPairs({ ...given, data: rows, evalData: rows, output: inside('array') });
    await alignPairs({ ...given, data: stream(), output: inside('stream') });
    const losses = lossesOf(inside('file'));
    expect(losses).toHaveLength(2);
    expect(lossesOf(inside('array'))).toEqual(losses);
    expect(lossesOf(inside('stream'))).toEqual(losses);
    const config = parse(readFileSync(join(inside('array'), 'config.yaml'), 'utf8'));
    expect(Object.keys(config.program)).toEqual(['data', 'eval_data']);
    const environment = JSON.parse(readFileSync(join(inside('array'), 'environment.json'), 'utf8'));
    expect(JSON.stringify(environment)).toMatch(/"data":"[0-9a-f]{64}"/);
  });

  it('that are not valid are named by their number', async () => {
    const [good] = tinyRows(1) as object[];
    const wrong = [good!, { ...good, chosen: 5 }];
    const given = { ...options, model: inside('model'), output: inside('bad') };
    await expect(alignPairs({ ...given, data: wrong })).rejects.toMatchObject({
      ...{ name: 'DataError', file: 'data', row: 2, field: 'chosen' },
    });
    await expect(alignPairs({ ...given, data: [good!], evalData: wrong })).rejects.toMatchObject({
      ...{ file: 'evalData', row: 2, field: 'chosen' },
    });
    const circular: Record<string, unknown> = { ...good };
    circular.self = circular;
    await expect(alignPairs({ ...given, data: [circular] })).rejects.toMatchObject({
      ...{ name: 'DataError', file: 'data', row: 1 },
    });
    await expect(alignPairs({ ...given, data: [] })).rejects.toBeInstanceOf(ConfigError);
  });
});

describe('a reward function', () => {
  const rows = [{ prompt: 'Why is it raining?' }, { prompt: 'Is it late?' }];
  const short = ({ text, tokens, extra }: FunctionInput): number =>
    extra.prompt === undefined ? 1 / (text.length + tokens!) : Number.NaN;
  const optionsOf = (own: Partial<TrainGrpoOptions>): TrainGrpoOptions => ({
    ...{ model: inside('model'), data: rows, output: inside('run'), reward: short },
    ...{ precision: 'fp32', learningRate: 1e-2, threads: 1, batchSize: 2, numGenerations: 2 },
    ...{ maxNewTokens: 8, loraRank: 4, maxSteps: 3, saveSteps: 100 },
    ...own,
  });

  it('judges answers, and a resumed run needs the same', async () => {
    const whole = optionsOf({ output: inside('whole') });
    await trainGrpo(whole);
    const broken = optionsOf({ output: inside('broken') });
    await trainGrpo(broken, stopping(1));
    const resumed = { ...broken, resume: true };
    const config = join(inside('broken'), 'config.yaml');
    expect(() => resolveOptions(grpoDefinition, { config })).toThrow(
      /config\.yaml:\d+:1: .*"short"/,
    );
    await expect(trainGrpo({ ...resumed, reward: ({ text }) => text.length })).rejects.toThrow(
      /"short".*"reward"/,
    );
    const other = { short: (answer: FunctionInput) => 2 * short(answer) };
    await expect(trainGrpo({ ...resumed, reward: other.short })).rejects.toThrow(/--reward short/);
    await expect(trainGrpo({ ...resumed, data: [...rows, ...rows] })).rejects.toThrow(/--data/);
    await trainGrpo(resumed);
    expectSameRun(broken.output, whole.output);
  });

  it('may be an object with `score`', async () => {
    let disposed = 0;
    const reward = {
      name: 'own',
      score: async (answers: readonly { completion: unknown }[]) =>
        answers.map((_, index) => ({ score: index })),
      async [Symbol.asyncDispose]() {
        disposed += 1;
      },
    };
    const run = await trainGrpo(optionsOf({ output: inside('object'), reward, maxSteps: 1 }));
    expect(metricsOf(run.path).find(({ reward: mean }) => mean !== undefined)!.reward).toBe(1.5);
    // It stays with the program.
    expect(disposed).toBe(0);
  });

  it('may be a spec', async () => {
    const reward = { type: 'length', max: 3 } as const;
    const options = optionsOf({ output: inside('spec'), reward, maxSteps: 1 });
    await trainGrpo(options);
    const other = { ...options, resume: true, maxSteps: 2 };
    await expect(trainGrpo({ ...other, reward: { ...reward, max: 4 } })).rejects.toThrow(
      /--reward length/,
    );
    await trainGrpo(other);
    const wrong = { type: 'length', maxx: 3 } as never;
    await expect(trainGrpo(optionsOf({ reward: wrong }))).rejects.toThrow(/"maxx".*"max"/);
  });

  it('that is something else is refused', async () => {
    for (const reward of [5, null, { name: 'x' }] as never[]) {
      await expect(trainGrpo(optionsOf({ reward }))).rejects.toThrow(/^reward: /);
    }
  });
});
