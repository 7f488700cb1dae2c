import { defineOptions, option } from '@keel/align/config';
import { z } from 'zod';
import { databaseOption } from './data-store-shape.ts';
import { callShape } from './shared.ts';

const group = 'Server';

const schema = z.strictObject({
  database: databaseOption,
  host: option(z.string().min(1).default('127.0.0.1'), {
    description:
      'address to listen on; other machines can reach any but 127.0.0.1, so that needs the key KEEL_STUDIO_KEY',
    group,
    value: 'address',
    common: true,
  }),
  port: option(z.number().int().min(0).max(65535).default(4680), {
    description: 'port to listen on; 0: any free port',
    group,
    common: true,
  }),
  url: option(
    z
      .string()
      .regex(/^https?:\/\/[^/]+$/, 'expected an address such as https://studio.example.org')
      .nullable()
      .default(null),
    {
      description: 'address that people use, where a proxy is in front of the Studio',
      group,
      value: 'address',
      shownDefault: 'the address listened on',
    },
  ),
  runs: option(z.string().min(1).default('runs'), {
    description: 'folder whose training runs are shown, with all folders in it',
    group,
    value: 'folder',
    common: true,
  }),
  models: option(
    z
      .array(
        z.string().regex(/^https?:\/\/.+$/, 'expected an address such as http://127.0.0.1:8000'),
      )
      .min(1)
      .nullable()
      .default(null),
    {
      description:
        'servers whose models answer in battles and for new tasks, such as keel serve; the key of servers that need one is KEEL_MODELS_KEY',
      group: 'Model and data',
      value: 'address',
      common: true,
      shownDefault: 'none',
    },
  ),
  open: option(z.boolean().default(true), {
    description: 'open the browser; not done where there is no screen',
    group,
    common: true,
  }),
  owner: option(z.string().trim().min(1).max(80).nullable().default(null), {
    description: "your name next to your verdicts; it is kept from the Studio's first start",
    group,
    value: 'name',
    shownDefault: "the name of this machine's user",
  }),
  example: option(z.boolean().default(true), {
    description: 'begin a new store with the example project',
    group: 'Model and data',
  }),
  maxUpload: option(z.number().positive().default(64), {
    description: 'maximum size of an upload, in MB',
    group,
    value: 'MB',
  }),
  ...callShape,
});

export const definition = defineOptions('studio', schema, { complete: (parsed) => parsed });

export type StudioOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel studio';
