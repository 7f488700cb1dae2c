import { defineOptions, option, trainingShape, variant } from '@keel/align/config';
import { z } from 'zod';
import { databaseOption } from './data-store-shape.ts';

const group = 'Project';
const name = z.string().trim().min(1).max(100).nullable().default(null);

const schema = z
  .strictObject({
    database: databaseOption,
    create: option(name, {
      description: 'make an empty project, for battles or for rows that come later',
      group,
      value: 'name',
      common: true,
    }),
    rename: option(name, {
      description: 'project that gets the name of --as',
      group,
      value: 'name',
      common: true,
    }),
    as: option(name, {
      description: 'new name of the project of --rename',
      group,
      value: 'name',
      common: true,
    }),
    delete: option(name, {
      description: 'delete a project with its tasks, verdicts and battles; needs --yes',
      group,
      value: 'name',
      common: true,
    }),
    yes: option(z.boolean().default(false), {
      description: 'delete it: there is no way back',
      group: 'Command line only',
      flagOnly: true,
      common: true,
    }),
    json: variant(trainingShape.json, { common: true }),
  })
  .check(({ value, issues }) => {
    const add = (path: string, message: string): void => {
      issues.push({ code: 'custom', path: [path], message, input: value });
    };
    if ((value.rename === null) !== (value.as === null))
      add(value.as === null ? 'as' : 'rename', 'pass --rename and --as together');
    const done = (['create', 'rename', 'delete'] as const).filter((one) => value[one] !== null);
    if (done.length > 1) add(done[1]!, 'pass one of --create, --rename and --delete');
    if (value.delete !== null && !value.yes)
      add('delete', `deletes all that is in ${value.delete}. To do it, pass --yes too`);
  });

export const definition = defineOptions('data projects', schema, { complete: (parsed) => parsed });

export type DataProjectsOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel data projects --create arena';
