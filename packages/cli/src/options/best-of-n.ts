import {
  checkConstraint,
  constraintShape,
  defineOptions,
  onlineShape,
  option,
} from '@keel/align/config';
import { z } from 'zod';
import { withBase } from './base-model.ts';
import { checkAnswerLength, samplingShape } from './sampling.ts';
import { callShape, dataShape, dryRunShape, machineShape, modelShape } from './shared.ts';

const output = 'Output';

const schema = z
  .strictObject({
    ...modelShape,
    data: onlineShape.data,
    onBadRow: dataShape.onBadRow,
    columns: dataShape.columns,
    wrapChat: dataShape.wrapChat,
    reward: onlineShape.reward,
    rewardConcurrency: onlineShape.rewardConcurrency,
    rewardTimeout: onlineShape.rewardTimeout,
    missingEosPenalty: onlineShape.missingEosPenalty,
    numGenerations: option(z.number().int().min(1).default(8), {
      description: 'n: answers sampled per prompt, of which the best is kept',
      group: 'Sampling',
      value: 'n',
      common: true,
    }),
    ...samplingShape({ temperature: 1, topP: 1 }),
    ...constraintShape('Sampling'),
    output: option(z.string().min(1), {
      description:
        'JSON Lines file for the result; answers so far are in <file>.partial, and the same command resumes from it',
      group: output,
      value: 'file',
    }),
    write: option(z.enum(['best', 'all', 'pairs']).default('best'), {
      description:
        'rows of the result: best {prompt, completion, score}; all {prompt, completions, scores}; pairs of the best and the worst {prompt, chosen, rejected, score_chosen, score_rejected}',
      group: output,
      common: true,
    }),
    batchSize: option(z.number().int().min(1).default(16), {
      description: 'answers sampled at the same time; affects speed and memory',
      group: 'Machine',
    }),
    ...machineShape,
    unsafeCode: onlineShape.unsafeCode,
    overwrite: option(z.boolean().default(false), {
      description: 'replace the result and the answers of an earlier command',
      group: 'Command line only',
      flagOnly: true,
    }),
    ...callShape,
    ...dryRunShape,
  })
  .check(({ value, issues }) => {
    const add = (name: string, message: string): void => {
      issues.push({ code: 'custom', path: [name], message, input: value });
    };
    checkAnswerLength(value, add);
    checkConstraint(value, add);
    if (value.temperature === 0 && value.numGenerations > 1) {
      add('temperature', 'at 0, all answers to a prompt are identical. Pass a temperature above 0');
    }
    if (value.write !== 'best' && value.numGenerations < 2) {
      add(
        'write',
        `${value.write} needs at least 2 answers per prompt. Pass --num-generations 2 or more`,
      );
    }
  });

export const definition = defineOptions('best-of-n', schema, { complete: withBase });

export type BestOfNVerbOptions = ReturnType<typeof definition.complete>;

export const example =
  'npx keel best-of-n --data prompts.jsonl --reward runs/reward/final --num-generations 8 --max-new-tokens 64 --output best.jsonl';
