import { checkConstraint, constraintShape, defineOptions, option } from '@keel/align/config';
import { z } from 'zod';
import { withBase } from './base-model.ts';
import { checkAnswerLength, samplingShape } from './sampling.ts';
import { baseShape, callShape, modelShape } from './shared.ts';

const schema = z
  .strictObject({
    ...modelShape,
    system: option(z.string().min(1).nullable().default(null), {
      description: 'system message',
      group: 'Prompt',
      literal: true,
      common: true,
      shownDefault: 'no system message',
    }),
    feedback: option(z.string().min(1).default('runs/feedback.jsonl'), {
      description: 'JSONL file to which /good and /bad add the last answer, as a row for kto',
      group: 'Output',
      value: 'file',
      common: true,
    }),
    ...samplingShape({ temperature: 0.7, topP: 0.95 }),
    ...constraintShape('Sampling'),
    ...baseShape,
    config: callShape.config,
  })
  .check(({ value, issues }) => {
    const add = (name: string, message: string): void => {
      issues.push({ code: 'custom', path: [name], message, input: value });
    };
    checkAnswerLength(value, add);
    checkConstraint(value, add);
  });

export const definition = defineOptions('chat', schema, { complete: withBase });

export type ChatOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel chat --adapter runs/first/final';
