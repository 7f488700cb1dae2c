import { ConfigError } from '@keel/align/config';
import { styleCheck } from './answer-style.ts';
import type { Check } from './check.ts';
import type { CheckSpec } from './check-schema.ts';
import { choiceCheck } from './choice.ts';
import { exactCheck } from './exact.ts';
import { functionCheck } from './function.ts';
import { excludesCheck, includesCheck } from './includes.ts';
import { instructionCheck } from './instruction-check.ts';
import { jsonCheck } from './json.ts';
import { numberCheck } from './number.ts';
import { readCheck } from './read-check.ts';
import { refusalCheck } from './refusal.ts';
import { regexCheck } from './regex.ts';
import { stanceCheck } from './stance.ts';

/** Where the specification of a check comes from. */
export interface OpenCheckOptions {
  /** That the paths of modules and schemas are relative to (default: the current one). */
  folder?: string;
  /** Place of the specification, for messages: `suite.yaml:3:5`. */
  place?: string;
}

/**
 * Makes a check from its specification, a mapping or a short form (see {@link readCheck}).
 * @throws ConfigError if the specification is wrong, or what it names cannot be loaded
 */
export async function openCheck(
  spec: string | object,
  { folder = '.', place = 'check' }: OpenCheckOptions = {},
): Promise<Check> {
  const read = readCheck(spec, place);
  try {
    return await made(read, folder);
  } catch (error) {
    throw new ConfigError([`${place}: ${(error as Error).message}`], { cause: error });
  }
}

async function made(spec: CheckSpec, folder: string): Promise<Check> {
  switch (spec.type) {
    case 'exact':
      return exactCheck(spec);
    case 'number':
      return numberCheck(spec);
    case 'choice':
      return choiceCheck(spec);
    case 'regex':
      return regexCheck(spec);
    case 'includes':
      return includesCheck(spec);
    case 'excludes':
      return excludesCheck(spec);
    case 'json':
      return await jsonCheck(spec, folder);
    case 'function':
      return await functionCheck(spec, folder);
    case 'refusal':
      return refusalCheck(spec);
    case 'instructions':
      return instructionCheck();
    case 'style':
      return styleCheck();
    case 'stance':
      return stanceCheck(spec);
  }
}
