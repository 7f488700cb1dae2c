// The specification of a check, as a suite has it.
import { z } from 'zod';
import { styleSchema } from './answer-style.ts';
import { choiceSchema } from './choice.ts';
import { exactSchema } from './exact.ts';
import { functionSchema } from './function.ts';
import { excludesSchema, includesSchema } from './includes.ts';
import { instructionsSchema } from './instruction-check.ts';
import { jsonSchema } from './json.ts';
import { numberSchema } from './number.ts';
import { refusalSchema } from './refusal.ts';
import { regexSchema } from './regex.ts';
import { stanceSchema } from './stance.ts';

export const schemasByType = {
  exact: exactSchema,
  number: numberSchema,
  choice: choiceSchema,
  regex: regexSchema,
  includes: includesSchema,
  excludes: excludesSchema,
  json: jsonSchema,
  function: functionSchema,
  refusal: refusalSchema,
  instructions: instructionsSchema,
  style: styleSchema,
  stance: stanceSchema,
} as const;

export const checkSchema = z.discriminatedUnion('type', [
  exactSchema,
  numberSchema,
  choiceSchema,
  regexSchema,
  includesSchema,
  excludesSchema,
  jsonSchema,
  functionSchema,
  refusalSchema,
  instructionsSchema,
  styleSchema,
  stanceSchema,
]);

export type CheckType = keyof typeof schemasByType;
export type CheckSpec = z.output<typeof checkSchema>;
