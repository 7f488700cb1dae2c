import { basename, dirname } from 'node:path';
import { defineOptions, option, runResult } from '@keel/align/config';
import { z } from 'zod';
import { baseFor } from './base-model.ts';
import { baseShape, callShape, modelShape } from './shared.ts';

const group = 'Server';
const size = (least: number, standard: number) => z.number().int().min(least).default(standard);

/** An adapter and the name by which requests choose it. */
export interface NamedAdapter {
  name: string;
  folder: string;
}

/**
 * `name=folder`, or a folder alone, whose name is that of its run: `runs/first/final` is `first`.
 */
export function namedAdapter(text: string): NamedAdapter {
  const [, name, named] = /^([^/\\=]+)=(.+)$/s.exec(text) ?? [];
  const folder = named ?? text;
  const own = basename(folder);
  return { name: name ?? (own === 'final' ? basename(dirname(folder)) : own), folder };
}

const schema = z
  .strictObject({
    ...modelShape,
    adapter: option(z.array(z.string().min(1)).min(1).nullable().default(null), {
      description:
        "adapter that requests can choose as their model: a run, or a folder in PEFT's format; several are allowed",
      group: 'Model and data',
      value: '[name=]folder',
      common: true,
      shownDefault: 'no adapter',
      commas: false,
    }),
    servedModelName: option(z.string().min(1).nullable().default(null), {
      description: 'name of the base in requests',
      group,
      value: 'name',
      shownDefault: "the model's name",
    }),
    host: option(z.string().min(1).default('127.0.0.1'), {
      description:
        'address to listen on; other machines can reach any but 127.0.0.1, so that needs the key KEEL_API_KEY',
      group,
      value: 'address',
      common: true,
    }),
    port: option(z.number().int().min(0).max(65535).default(8000), {
      description: 'port to listen on; 0: any free port',
      group,
      common: true,
    }),
    allowOrigin: option(
      z
        .array(
          z.string().regex(/^https?:\/\/[^/]+$/, 'expected an origin, such as http://my.app:3000'),
        )
        .min(1)
        .nullable()
        .default(null),
      {
        description: 'origin of a web page that may use the server, such as http://my.app:3000',
        group,
        value: 'origin',
        shownDefault: 'pages of this machine',
      },
    ),
    adapterLoading: option(z.boolean().default(false), {
      description: "let clients load and unload adapters from this machine's folders, as vLLM does",
      group,
      common: true,
    }),
    runtimeAdapters: option(z.string().min(1).nullable().default(null), {
      description:
        'let clients load and unload adapters from below this folder only, such as those of a run with --rollouts',
      group,
      value: 'folder',
      common: true,
      shownDefault: 'none',
    }),
    maxContext: option(z.number().int().min(1).nullable().default(null), {
      description: 'maximum tokens of prompt and answer together',
      group,
      value: 'tokens',
      shownDefault: 'as many as the model supports',
    }),
    queue: option(size(0, 256), {
      description: 'answers that may wait for a place in the batch; more are refused (429)',
      group,
      value: 'answers',
    }),
    maxBody: option(z.number().positive().default(4), {
      description: 'maximum size of a request, in MB',
      group,
      value: 'MB',
    }),
    batchSize: option(size(1, 32), {
      description: 'answers that are generated at the same time; affects speed and memory',
      group: 'Machine',
      common: true,
    }),
    prefillTokens: option(size(1, 512), {
      description: 'prompt tokens computed at a time, between the steps of running answers',
      group: 'Machine',
      value: 'tokens',
    }),
    prefixCache: option(size(0, 8192), {
      description:
        'prompt tokens that stay in memory, so that prompts which start alike compute that part once; 0: none',
      group: 'Machine',
      value: 'tokens',
    }),
    ...baseShape,
    ...callShape,
  })
  .check(({ value, issues }) => {
    const names = (value.adapter ?? []).map((text) => namedAdapter(text).name);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice === undefined) return;
    const message = `"${twice}" is the name of two adapters. Name them: --adapter one=folder`;
    issues.push({ code: 'custom', path: ['adapter'], message, input: value });
  });

export const definition = defineOptions('serve', schema, {
  complete: (parsed) => {
    const [first] = (parsed.adapter ?? []).map(namedAdapter);
    const folder = first === undefined ? null : runResult(first.folder);
    return { ...parsed, model: parsed.model ?? baseFor(folder) };
  },
});

export type ServeOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel serve --adapter runs/first';
