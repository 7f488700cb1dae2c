import { z } from 'zod';
import { defineOptions, onlineShape, option } from '../torch-free/align-config.ts';
import { checkAnswerLength, samplingShape } from './sampling.ts';
import { callShape, machineShape, modelShape } from './shared.ts';

const output = 'Output';

const schema = z
  .strictObject({
    ...modelShape,
    data: option(onlineShape.data, {
      description:
        'prompts: rows with a field "prompt", whose other fields the reward sees; JSONL, JSON, Parquet or CSV files, globs, or hub:owner/name',
      group: 'Data',
      value: 'path',
      commas: false,
    }),
    onBadRow: option(onlineShape.onBadRow, {
      description: 'a row that is not valid is an error, or is skipped and counted',
      group: 'Data',
      value: 'what',
    }),
    reward: onlineShape.reward,
    rewardConcurrency: onlineShape.rewardConcurrency,
    rewardTimeout: onlineShape.rewardTimeout,
    missingEosPenalty: onlineShape.missingEosPenalty,
    numGenerations: option(z.number().int().min(1).default(8), {
      description: 'n: answers sampled to each prompt, of which the best is kept',
      group: 'Sampling',
      value: 'n',
    }),
    ...samplingShape({ temperature: 1, topP: 1 }),
    output: option(z.string().min(1), {
      description:
        'JSON Lines file of the result; what is sampled so far stands beside it in <file>.partial, from which the same command goes on',
      group: output,
      value: 'file',
    }),
    write: option(z.enum(['best', 'all', 'pairs']).default('best'), {
      description:
        'rows of the result: best {prompt, completion, score}; all {prompt, completions, scores}; pairs of the best and the worst {prompt, chosen, rejected, score_chosen, score_rejected}',
      group: output,
      value: 'rows',
    }),
    batchSize: option(z.number().int().min(1).default(16), {
      description: 'answers that are written at the same time',
      group: 'Machine',
    }),
    ...machineShape,
    unsafeCode: onlineShape.unsafeCode,
    overwrite: option(z.boolean().default(false), {
      description: 'replace the result, and what an earlier call has sampled',
      group: output,
      flagOnly: true,
    }),
    ...callShape,
  })
  .check(({ value, issues }) => {
    const add = (name: string, message: string): void => {
      issues.push({ code: 'custom', path: [name], message, input: value });
    };
    checkAnswerLength(value, add);
    if (value.temperature === 0 && value.numGenerations > 1) {
      add('temperature', 'at 0 all answers to a prompt are the same: give more than 0');
    }
    if (value.write !== 'best' && value.numGenerations < 2) {
      add('write', `${value.write} takes --num-generations of 2 at least`);
    }
  });

export const definition = defineOptions('best-of-n', schema, { complete: (parsed) => parsed });

export type BestOfNVerbOptions = ReturnType<typeof definition.complete>;

export const example =
  'npx keel best-of-n --data prompts.jsonl --reward runs/reward/final --num-generations 8 --max-new-tokens 64 --output best.jsonl';
