import { defineOptions, option } from '@keel/align/config';
import { z } from 'zod';
import { databaseOption, listingShape, projectOption } from './data-store-shape.ts';

const group = 'Project';
const shownDefault = 'all tasks';
const flag = (description: string) =>
  option(z.boolean().optional(), { description, group, common: true, shownDefault });

const schema = z.strictObject({
  project: projectOption,
  database: databaseOption,
  state: option(z.enum(['new', 'started', 'finished']).optional(), {
    description: 'tasks without a verdict, with too few, or with as many as are asked for',
    ...{ group, common: true, shownDefault },
  }),
  text: option(z.string().min(1).optional(), {
    description: 'tasks whose prompt contains this text',
    ...{ group, value: 'text', common: true, literal: true, shownDefault },
  }),
  disputed: flag('tasks on which people disagree'),
  adjudicated: flag('tasks that somebody has settled'),
  flagged: flag('tasks that somebody flagged'),
  skipped: flag('tasks that somebody skipped'),
  gold: flag('tasks whose right verdict is known'),
  sort: option(z.enum(['added', 'dispute', 'priority', 'newest']).default('added'), {
    description:
      'order: as added, most disputed first, largest priority first, newest verdict first',
    group: 'Output',
    common: true,
  }),
  ...listingShape,
});

export const definition = defineOptions('data tasks', schema, { complete: (parsed) => parsed });

export type DataTasksOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel data tasks --project helpful --sort priority --limit 10';
