import { defineOptions, option, trainingShape, variant } from '@keel/align/config';
import { ggufFileTypes } from '@keel/model/without-torch';
import { z } from 'zod';
import { withBase } from './base-model.ts';
import { callShape, modelShape } from './shared.ts';

const forms = ['safetensors', 'gguf', 'adapter-gguf', 'peft'] as const;
const types = ['auto', ...ggufFileTypes] as const;

const schema = z
  .strictObject({
    model: modelShape.model,
    adapter: option(modelShape.adapter, {
      description: "adapter to export: a run, or a folder in PEFT's format",
      group: 'Model and data',
      reads: 'folder',
      value: 'folder',
      common: true,
      shownDefault: 'no adapter',
    }),
    to: option(z.enum(forms), {
      description:
        'what to write; safetensors: the merged model for transformers; gguf: the merged model for llama.cpp and ollama; adapter-gguf: the adapter for llama.cpp; peft: the adapter and the name of its base',
      group: 'Output',
      common: true,
    }),
    type: option(z.enum(types).default('auto'), {
      description:
        "type of the written weights; auto: the base's own for safetensors, f16 for gguf, f32 for an adapter. Quantised types are for gguf",
      group: 'Output',
      common: true,
    }),
    output: variant(trainingShape.output, {
      description: "the export's folder, for example models/first-gguf",
    }),
    overwrite: variant(trainingShape.overwrite, {
      description: 'replace the export in --output',
      common: true,
    }),
    threads: trainingShape.threads,
    ...callShape,
  })
  .check(({ value, issues }) => {
    const add = (name: string, message: string): void => {
      issues.push({ code: 'custom', path: [name], message, input: value });
    };
    const { to, type, adapter, output } = value;
    if (adapter === null && (to === 'peft' || to === 'adapter-gguf')) {
      add('adapter', `is missing: --to ${to} writes an adapter alone`);
    }
    const plain = to === 'peft' ? ['auto', 'f32'] : ['auto', 'f32', 'f16', 'bf16'];
    if (to !== 'gguf' && !plain.includes(type)) {
      add('type', `is ${type}, but --to ${to} writes ${plain.slice(1).join(', ')}`);
    }
    if (/\.gguf$/i.test(output)) {
      add('output', 'is the name of a file, expected a folder: a Modelfile is written next to it');
    }
  });

export const definition = defineOptions('export', schema, { complete: withBase });

export type ExportVerbOptions = ReturnType<typeof definition.complete>;

export const example =
  'npx keel export --adapter runs/first --to gguf --type q8_0 --output models/first-gguf';
