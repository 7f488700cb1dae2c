import {
  checkConstraint,
  constraintShape,
  defineOptions,
  option,
  trainingShape,
  variant,
} from '@keel/align/config';
import { z } from 'zod';
import { withBase } from './base-model.ts';
import { checkAnswerLength, samplingShape } from './sampling.ts';
import { baseShape, callShape, dataShape, dryRunShape, modelShape } from './shared.ts';

const prompt = 'Prompt';

const schema = z
  .strictObject({
    ...modelShape,
    prompt: option(z.string().min(1).nullable().default(null), {
      description: 'prompt to answer, or - to read it from stdin',
      group: prompt,
      literal: true,
      common: true,
      shownDefault: 'use --prompts',
    }),
    prompts: option(z.string().min(1).nullable().default(null), {
      description: 'rows with a prompt each: a file or a glob (instead of --prompt)',
      group: prompt,
      reads: 'rows',
      value: 'file',
      common: true,
      shownDefault: 'use --prompt',
    }),
    columns: variant(dataShape.columns, { group: prompt }),
    wrapChat: variant(dataShape.wrapChat, {
      description: 'ask the plain prompts of --prompts as user messages of a chat',
      group: prompt,
    }),
    system: option(z.string().min(1).nullable().default(null), {
      description: 'system message before each prompt; a prompt with another one is refused',
      group: prompt,
      literal: true,
      common: true,
      shownDefault: 'no system message',
    }),
    raw: option(z.boolean().default(false), {
      description: "continue the prompt as plain text, without the model's chat template",
      group: prompt,
    }),
    ...samplingShape({ temperature: 0, topP: 1 }),
    ...constraintShape('Sampling'),
    samples: option(z.number().int().min(1).default(1), {
      description: 'answers per prompt',
      group: 'Sampling',
      common: true,
    }),
    output: option(z.string().min(1).nullable().default(null), {
      description:
        'write the answers to this JSONL file, as rows with prompt and completion that sft, score and judges read',
      group: 'Output',
      value: 'file',
      common: true,
      shownDefault: 'print them',
    }),
    overwrite: variant(trainingShape.overwrite, { description: 'replace the file of --output' }),
    batchSize: option(z.number().int().min(1).default(16), {
      description: 'answers sampled at the same time; affects speed and memory',
      group: 'Machine',
    }),
    ...baseShape,
    ...callShape,
    ...dryRunShape,
    json: variant(callShape.json, { common: true }),
  })
  .check(({ value, issues }) => {
    const add = (name: string, message: string): void => {
      issues.push({ code: 'custom', path: [name], message, input: value });
    };
    checkAnswerLength(value, add);
    checkConstraint(value, add);
    if (value.prompt === null && value.prompts === null) {
      add(
        'prompt',
        'a prompt is required. Pass --prompt "…", --prompt - to read from stdin, or --prompts file.jsonl',
      );
    }
    if (value.prompt !== null && value.prompts !== null) {
      add('prompts', 'pass either --prompt or --prompts, not both');
    }
    if (value.raw && value.system !== null) {
      add(
        'system',
        'a system message needs the chat template, which --raw turns off. Remove one of them',
      );
    }
  });

export const definition = defineOptions('generate', schema, { complete: withBase });

export type GenerateVerbOptions = ReturnType<typeof definition.complete>;

export const example =
  'npx keel generate --adapter runs/first/final --prompt "Is it going to rain?" --max-new-tokens 64';
