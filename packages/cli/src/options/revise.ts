import { defineOptions, onlineShape, option } from '@keel/align/config';
import { z } from 'zod';
import { withBase } from './base-model.ts';
import { checkAnswerLength, samplingShape } from './sampling.ts';
import { callShape, dataShape, dryRunShape, machineShape, modelShape } from './shared.ts';

const group = 'Critique and revision';

const schema = z
  .strictObject({
    ...modelShape,
    data: onlineShape.data,
    onBadRow: dataShape.onBadRow,
    columns: dataShape.columns,
    limit: option(z.number().int().min(1).nullable().default(null), {
      description: 'use only this many prompts, from the start',
      group,
      value: 'prompts',
      common: true,
      shownDefault: 'all',
    }),
    constitution: option(z.string().min(1).nullable().default(null), {
      description:
        "file of principles: Keel's YAML, the JSON of Bai et al. 2022 or of the alignment handbook",
      group,
      reads: 'file',
      common: true,
      shownDefault: "Keel's own",
    }),
    rounds: option(z.number().int().min(1).max(16).default(1), {
      description: 'critiques and revisions of each answer, each under another principle',
      group,
      common: true,
    }),
    critic: option(z.string().min(1).nullable().default(null), {
      description:
        'who criticises: a model, a run or an adapter, endpoint:MODEL, or the YAML file of an endpoint',
      group,
      value: 'model',
      common: true,
      shownDefault: 'the model itself',
    }),
    reviser: option(z.string().min(1).nullable().default(null), {
      description: 'who revises, as --critic',
      group,
      value: 'model',
      shownDefault: 'the critic',
    }),
    fewShot: option(z.boolean().default(true), {
      description: 'show critic and reviser the examples of the constitution first',
      group,
    }),
    examples: option(z.string().min(1).nullable().default(null), {
      description: 'JSON file of transcripts or chats that replace the examples',
      group,
      reads: 'file',
      shownDefault: 'those of the constitution',
    }),
    ...samplingShape({ temperature: 0.7, topP: 0.9 }),
    output: option(z.string().min(1), {
      description:
        'folder for the result; finished prompts are saved there, and the same command resumes from them',
      group: 'Output',
      value: 'folder',
    }),
    batchSize: option(z.number().int().min(1).default(16), {
      description: 'prompts worked on at the same time; affects speed and memory',
      group: 'Machine',
    }),
    ...machineShape,
    overwrite: option(z.boolean().default(false), {
      description: 'replace the result and the finished prompts of an earlier command',
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
    if (value.examples !== null && !value.fewShot) {
      add('examples', 'has no effect with --no-few-shot. Remove one of the two');
    }
  });

export const definition = defineOptions('revise', schema, { complete: withBase });

export type ReviseVerbOptions = ReturnType<typeof definition.complete>;

export const example =
  'npx keel revise --data prompts.jsonl --critic endpoint:gpt-4o-mini --rounds 2 --output revised';
