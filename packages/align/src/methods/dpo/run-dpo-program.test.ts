// A run with a custom objective from a program: only that program can resume it.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { resolveOptions } from '../../config/resolve-options.ts';
import { logRatioMargin, type PairedObjective } from '../../objectives/paired.ts';
import { pairedObjectiveNames } from '../../objectives/registry.ts';
import { cachedFolder } from '../../testing/cached-folder.ts';
import { metricsOf } from '../../testing/run-files.ts';
import { tinyRows, writeRowsFile, writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import { defineDpoOptions } from '../pairs/dpo-options.ts';
import { type AlignPairsOptions, alignPairs } from './run-dpo.ts';

const folder = cachedFolder();
const inside = (name: string): string => join(folder, name);
let data: string;
beforeAll(() => {
  writeTinyChatModel(inside('model'));
  data = writeRowsFile(folder, tinyRows(10));
});

// The name of a built-in objective.
const own: PairedObjective = {
  name: 'hinge',
  needsReference: true,
  loss: (scores, { beta }) => logRatioMargin(scores).mul(-beta).exp().mul(3),
};
const optionsOf = (more: Partial<AlignPairsOptions>): AlignPairsOptions => ({
  ...{ model: inside('model'), data: [data], output: inside('run') },
  ...{ precision: 'fp32', lora: true, loraRank: 2, batchSize: 4, threads: 1, saveSteps: 1 },
  scheduler: 'constant',
  ...more,
});
const lossesOf = (output: string): unknown[] =>
  metricsOf(output).flatMap(({ loss }) => (loss === undefined ? [] : [loss]));

it('names it in config.yaml and can be resumed only with it', async () => {
  const straight = optionsOf({ output: inside('straight'), maxSteps: 3 });
  await alignPairs(straight, { objective: own });
  const options = optionsOf({ maxSteps: 2 });
  await alignPairs(options, { objective: own });
  const config = join(inside('run'), 'config.yaml');
  expect(parse(readFileSync(config, 'utf8')).program).toEqual({
    objective: { name: 'hinge', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
  });

  // Like keel dpo --config … --resume.
  const definition = defineDpoOptions(pairedObjectiveNames);
  expect(() => resolveOptions(definition, { config })).toThrow(
    /config\.yaml:\d+:1: the objective "hinge" of this run came from the program that started it, not from Keel\. To resume the run, run that program again/,
  );
  const resumed = { ...options, resume: true, maxSteps: 3 };
  await expect(alignPairs({ ...resumed, loss: ['hinge'] })).rejects.toThrow(
    'the objective "hinge" of this run came from the program that started it',
  );
  const other = { ...own, loss: (...of: Parameters<typeof own.loss>) => own.loss(...of).mul(2) };
  await expect(alignPairs(resumed, { objective: other })).rejects.toThrow(
    'the source of the objective "hinge" has changed since the run was started. Restore it',
  );
  // Without the record in config.yaml, the checkpoint still shows it.
  const text = readFileSync(config, 'utf8');
  writeFileSync(config, text.slice(0, text.indexOf('# From the program')));
  await expect(alignPairs({ ...resumed, loss: ['hinge'], lossWeights: [1] })).rejects.toThrow(
    /cannot be resumed|other options/,
  );
  writeFileSync(config, text);

  await alignPairs(resumed, { objective: own });
  expect(lossesOf(inside('run'))).toEqual(lossesOf(inside('straight')));
});

it("is not resumed with a custom objective if it was started with one of Keel's", async () => {
  const options = optionsOf({ output: inside('plain'), maxSteps: 1 });
  await alignPairs(options);
  await expect(
    alignPairs({ ...options, resume: true, maxSteps: 2 }, { objective: own }),
  ).rejects.toThrow(`this run was started with Keel's own objective, and the program passes`);
});
