import { ConfigError, nearest } from '@keel/align/config';
import { listed } from '@keel/align/internal';
import type { z } from 'zod';
import { type CheckSpec, type CheckType, checkSchema, schemasByType } from './check-schema.ts';

const types = Object.keys(schemasByType) as CheckType[];

const shortForms = [
  ...types.filter((type) => type !== 'regex' && type !== 'function'),
  'regex:/pattern/flags',
  'includes:TEXT',
  'excludes:TEXT',
  'module.ts#name',
];

/**
 * Reads the specification of a check: a mapping with `type`, or a short form such as `number`,
 * `regex:/^yes/i`, `includes:Paris` or `module.ts#name`.
 * @param place of the specification, for messages: `suite.yaml:3:5`
 * @throws ConfigError naming the key that is wrong
 */
export function readCheck(spec: string | object, place = 'check'): CheckSpec {
  const whole = typeof spec === 'string' ? fromShortForm(spec, place) : spec;
  const parsed = checkSchema.safeParse(whole);
  if (parsed.success) return parsed.data;
  throw new ConfigError(parsed.error.issues.map((issue) => `${place}: ${faultOf(issue, whole)}`));
}

function fromShortForm(form: string, place: string): object {
  const [, head, rest] = /^([^:]*)(?::([\s\S]*))?$/.exec(form) as unknown as string[];
  if (/\.[cm]?[jt]s(?:#[^/\\]*)?$/.test(form)) return { type: 'function', module: form };
  if (head === 'regex' && rest !== undefined) {
    const slashes = /^\/([\s\S]+)\/([a-z]*)$/.exec(rest);
    if (slashes) return { type: 'regex', pattern: slashes[1], flags: slashes[2] };
    throw new ConfigError([`${place}: ${form}: write regex:/pattern/flags`]);
  }
  if ((head === 'includes' || head === 'excludes') && rest) return { type: head, texts: [rest] };
  if (types.includes(form as CheckType)) return { type: form };
  const near = nearest(form, types);
  throw new ConfigError([
    near === null
      ? `${place}: unknown check "${form}". ${listed('Use one of', shortForms)}`
      : `${place}: unknown check "${form}"; did you mean "${near}"?`,
  ]);
}

function faultOf(issue: z.core.$ZodIssue, spec: object): string {
  const type = (spec as { type?: unknown }).type;
  if (issue.code === 'invalid_union' && issue.path.at(-1) === 'type') {
    if (type === undefined) return `"type" is missing. ${listed('Use one of', types)}`;
    const near = nearest(String(type), types);
    return near === null
      ? `unknown check "${String(type)}". ${listed('Use one of', types)}`
      : `unknown check "${String(type)}"; did you mean "${near}"?`;
  }
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(schemasByType[type as CheckType].shape);
    const [key] = issue.keys as [string];
    const near = nearest(key, known);
    return near === null
      ? `unknown key "${key}". ${listed('Use one of', known)}`
      : `unknown key "${key}"; did you mean "${near}"?`;
  }
  return `${issue.path.map(String).join('.')}: ${issue.message}`;
}
