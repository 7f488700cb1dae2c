import { defineOptions, option, trainingShape, variant } from '@keel/align/config';
import { z } from 'zod';
import { withBase } from './base-model.ts';
import { callShape, modelShape } from './shared.ts';

const schema = z
  .strictObject({
    model: modelShape.model,
    adapter: option(z.array(z.string().min(1)).min(1).nullable().default(null), {
      description:
        "adapter to merge: a run, or a folder in PEFT's format; without one, the model is converted. With --average, two or more",
      group: 'Model and data',
      reads: 'folder',
      value: 'folder',
      common: true,
      shownDefault: 'no adapter',
    }),
    output: variant(trainingShape.output, {
      description: "the model's folder, for example models/merged",
    }),
    dtype: option(z.enum(['auto', 'fp32', 'bf16', 'fp16']).default('auto'), {
      description:
        "type of the written weights; auto: the base's own type, or fp32 for a GGUF file",
      group: 'Output',
      common: true,
    }),
    baseOnly: option(z.boolean().default(false), {
      description:
        "write only the base of --adapter, and name its folder in the adapter's adapter_config.json, where PEFT looks for it",
      group: 'Output',
      common: true,
    }),
    average: option(z.boolean().default(false), {
      description:
        'write the mean of several adapters of one base as one adapter, whose rank is the sum of theirs; of reward models with the same data in another order, this is WARM',
      group: 'Output',
      common: true,
    }),
    overwrite: variant(trainingShape.overwrite, {
      description: 'replace the model in --output',
      common: true,
    }),
    threads: trainingShape.threads,
    ...callShape,
  })
  .check(({ value, issues }) => {
    const add = (name: string, message: string): void => {
      issues.push({ code: 'custom', path: [name], message, input: value });
    };
    const count = value.adapter?.length ?? 0;
    if (value.average) {
      if (count < 2) add('average', `needs two or more adapters as --adapter, found ${count}`);
      if (value.baseOnly) add('baseOnly', 'writes a base, and --average an adapter. Pass one');
      if (value.dtype !== 'auto') add('dtype', 'with --average: adapters are written in fp32');
      return;
    }
    if (count > 1) {
      add(
        'adapter',
        `expected one adapter, found ${count}. Merge one, and train or merge the next on the merged model; or pass --average for the mean of all`,
      );
    }
    if (value.baseOnly && value.adapter === null) {
      add('baseOnly', 'needs --adapter, whose base it writes. To convert a model, omit the option');
    }
  });

export const definition = defineOptions('merge', schema, {
  complete: (parsed) => {
    const adapters = parsed.adapter ?? [];
    return { ...withBase({ ...parsed, adapter: adapters[0] ?? null }), adapters };
  },
});

export type MergeVerbOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel merge --adapter runs/first --output models/merged';
