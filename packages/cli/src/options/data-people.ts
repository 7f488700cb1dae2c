import { defineOptions, option, trainingShape, variant } from '@keel/align/config';
import { z } from 'zod';
import { databaseOption } from './data-store-shape.ts';

const group = 'Project';

const schema = z
  .strictObject({
    database: databaseOption,
    invite: option(
      z
        .string()
        .trim()
        .min(1)
        .max(80)
        .regex(/^[^\p{Cc}\p{Cf}]*$/u, 'expected a name without control characters')
        .nullable()
        .default(null),
      {
        description: 'make a link for somebody: it works once, for 14 days',
        ...{ group, value: 'name', common: true },
      },
    ),
    role: option(z.enum(['annotator', 'admin']).optional(), {
      description: 'what the person of --invite may do; an admin sees and changes everything',
      ...{ group, common: true, shownDefault: 'annotator' },
    }),
    projects: option(z.array(z.string().min(1)).min(1).optional(), {
      description: 'projects that an annotator of --invite works on',
      ...{ group, value: 'name', common: true, commas: false },
    }),
    url: option(
      z
        .string()
        .regex(/^https?:\/\/[^/]+$/, 'expected an address such as https://studio.example.org')
        .default('http://127.0.0.1:4680'),
      {
        description: 'where the Studio is, for the link: what keel studio prints',
        ...{ group, value: 'address', common: true },
      },
    ),
    withdraw: option(z.string().min(1).nullable().default(null), {
      description: 'invitation that no longer works, by its name or id',
      ...{ group, value: 'name', common: true },
    }),
    json: variant(trainingShape.json, { common: true }),
  })
  .check(({ value, issues }) => {
    const { invite, withdraw, role, projects } = value;
    const add = (path: string, message: string): void => {
      issues.push({ code: 'custom', path: [path], message, input: value });
    };
    if (invite !== null && withdraw !== null)
      add('withdraw', 'pass one of --invite and --withdraw');
    if (invite === null) {
      if (role !== undefined) add('role', 'has no effect without --invite');
      if (projects !== undefined) add('projects', 'has no effect without --invite');
    } else if (role === 'admin' && projects !== undefined)
      add('projects', 'an admin works on all projects. Leave it out');
    else if (role !== 'admin' && projects === undefined)
      add('projects', 'name the projects that the annotator works on. Others stay hidden');
  });

export const definition = defineOptions('data people', schema, { complete: (parsed) => parsed });

export type DataPeopleOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel data people --invite Ann --projects helpful';
