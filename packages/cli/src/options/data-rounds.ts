import { defineOptions, option, trainingShape, variant } from '@keel/align/config';
import { z } from 'zod';
import { databaseOption, projectOption } from './data-store-shape.ts';

const group = 'Project';
const numbered = z.number().int().min(1).nullable().default(null);

/** What is said of a new round; the others are as in the Studio. */
const choices = ['method', 'model', 'epochs', 'newTasks', 'samples'] as const;

const schema = z
  .strictObject({
    project: projectOption,
    database: databaseOption,
    runs: option(z.string().min(1).default('runs'), {
      description: 'folder of the runs, the same as that of keel studio',
      group: 'Model and data',
      value: 'folder',
      common: true,
    }),
    start: option(z.boolean().default(false), {
      description: 'start a round on the labels so far; it keeps running after this command',
      group,
      flagOnly: true,
      common: true,
    }),
    stop: option(numbered, {
      description: 'round that saves a checkpoint and ends',
      group,
      value: 'number',
      common: true,
    }),
    resume: option(numbered, {
      description: 'round that continues after it was stopped, or failed, or did not start',
      group,
      value: 'number',
      common: true,
    }),
    method: option(z.enum(['dpo', 'kto', 'none']).optional(), {
      description: 'what is trained besides the reward model',
      ...{ group, common: true, shownDefault: 'dpo' },
    }),
    model: option(z.string().trim().min(1).max(500).optional(), {
      description: 'model to start from: a folder, a GGUF file or hub:owner/name',
      ...{ group, value: 'model', common: true, shownDefault: 'the default model' },
    }),
    epochs: option(z.number().positive().max(100).optional(), {
      description: 'passes over the labels',
      ...{ group, common: true, shownDefault: '3' },
    }),
    newTasks: option(z.number().int().min(0).max(10_000).optional(), {
      description: 'pairs of new answers that come back as tasks; 0: only train',
      ...{ group, value: 'n', common: true, shownDefault: '20' },
    }),
    samples: option(z.number().int().min(2).max(16).optional(), {
      description: 'answers to each prompt, from which the pairs are chosen',
      ...{ group, value: 'n', common: true, shownDefault: '4' },
    }),
    json: variant(trainingShape.json, { common: true }),
  })
  .check(({ value, issues }) => {
    const add = (path: string, message: string): void => {
      issues.push({ code: 'custom', path: [path], message, input: value });
    };
    const done = [
      ...(value.start ? ['start'] : []),
      ...(['stop', 'resume'] as const).filter((one) => value[one] !== null),
    ];
    if (done.length > 1) add(done[1]!, 'pass one of --start, --stop and --resume');
    const chosen = choices.find((one) => value[one] !== undefined);
    if (chosen !== undefined && !value.start)
      add(chosen, 'has no effect without --start, which starts a new round');
  });

export const definition = defineOptions('data rounds', schema, { complete: (parsed) => parsed });

export type DataRoundsOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel data rounds --project helpful --start --method dpo --new-tasks 50';
