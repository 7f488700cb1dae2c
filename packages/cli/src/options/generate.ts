import { z } from 'zod';
import { defineOptions, option } from '../torch-free/align-config.ts';
import { checkAnswerLength, samplingShape } from './sampling.ts';
import { callShape, machineShape, modelShape } from './shared.ts';

const prompt = 'Prompt';

const schema = z
  .strictObject({
    ...modelShape,
    prompt: option(z.string().min(1).nullable().default(null), {
      description: 'the text to answer, or - to read it from stdin',
      group: prompt,
      value: 'text',
      literal: true,
    }),
    prompts: option(z.string().min(1).nullable().default(null), {
      description: 'in place of --prompt: a file of rows with a prompt each',
      group: prompt,
      value: 'file',
    }),
    system: option(z.string().min(1).nullable().default(null), {
      description: 'system message before each prompt',
      group: prompt,
      value: 'text',
      literal: true,
    }),
    raw: option(z.boolean().default(false), {
      description: "continue the prompt as it stands, without the model's chat template",
      group: prompt,
    }),
    ...samplingShape({ temperature: 0, topP: 1 }),
    samples: option(z.number().int().min(1).default(1), {
      description: 'answers to each prompt',
      group: 'Sampling',
    }),
    batchSize: option(z.number().int().min(1).default(16), {
      description: 'answers that are written at the same time',
      group: 'Machine',
    }),
    ...machineShape,
    ...callShape,
  })
  .check(({ value, issues }) => {
    const add = (name: string, message: string): void => {
      issues.push({ code: 'custom', path: [name], message, input: value });
    };
    checkAnswerLength(value, add);
    if (value.prompt === null && value.prompts === null) {
      add('prompt', 'give a prompt: --prompt "…", --prompt - for stdin, or --prompts file.jsonl');
    }
    if (value.prompt !== null && value.prompts !== null) {
      add('prompts', 'give --prompt or --prompts, not both');
    }
    if (value.raw && value.system !== null) {
      add('system', '--raw leaves the chat template out, and a system message needs it');
    }
  });

export const definition = defineOptions('generate', schema, { complete: (parsed) => parsed });

export type GenerateVerbOptions = ReturnType<typeof definition.complete>;

export const example =
  'npx keel generate --adapter runs/first/final --prompt "Is it going to rain?" --max-new-tokens 64';
