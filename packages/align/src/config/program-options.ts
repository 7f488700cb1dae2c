// Options as a program passes them: values by their camelCase names. Messages are those of the
// command line, with these names instead of flags.
import { ConfigError } from './config-error.ts';
import { explainIssue } from './explain-issue.ts';
import { nearest } from './nearest.ts';
import type { OptionDescriptor } from './options.ts';
import { withRunResults } from './run-result.ts';
import { trlHint } from './trl-names.ts';

/** A value, or a list of them. */
type OneOrMore<Value> = Value extends readonly (infer One)[] ? Value | One : Value;

/** Options as a program may write them: all optional, and a list of one value as that value. */
export type WrittenOptions<Options> = {
  [Name in keyof Options]?: OneOrMore<Options[Name]> | undefined;
};

/** The parts of an {@link OptionsDefinition} that are needed here. */
interface Definition<Options> {
  descriptors: readonly OptionDescriptor[];
  schema: { safeParse(values: unknown): Parsed };
  complete(parsed: never): Options;
}

type Parsed =
  | { success: true; data: unknown }
  | { success: false; error: { issues: Parameters<typeof explainIssue>[0][] } };

/**
 * Checks and completes the options of a program.
 * @throws ConfigError with every problem found: the option, what was expected and what was found
 */
export function programOptions<Options>(
  { descriptors, schema, complete }: Definition<Options>,
  given: Readonly<Record<string, unknown>>,
): Options {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const descriptor = descriptors.find((one) => one.name === name);
    if (descriptor === undefined) problems.push(unknownOption(name, descriptors));
    else values[name] = asSchema(descriptor, value);
  }
  const parsed = schema.safeParse(values);
  if (parsed.success && problems.length === 0) {
    return complete(withRunResults(descriptors, parsed.data as object, (name) => name) as never);
  }
  const issues = parsed.success ? [] : parsed.error.issues;
  for (const issue of issues) {
    const descriptor = descriptors.find(({ name }) => name === issue.path[0]);
    if (descriptor === undefined) problems.push(withoutFlags(issue.message, descriptors));
    else if (values[descriptor.name] === undefined && issue.code === 'invalid_type') {
      const about = withoutFlags(descriptor.description, descriptors);
      problems.push(`${descriptor.name} is required: ${about}`);
    } else {
      const fault = explainIssue(issue, descriptor, values[descriptor.name]);
      problems.push(`${descriptor.name}: ${withoutFlags(fault, descriptors)}`);
    }
  }
  throw new ConfigError(problems);
}

function asSchema({ list, type }: OptionDescriptor, value: unknown): unknown {
  if (list && value !== null && !Array.isArray(value)) return [value];
  return type === 'map' && typeof value === 'object' && value !== null
    ? JSON.stringify(value)
    : value;
}

function unknownOption(name: string, descriptors: readonly OptionDescriptor[]): string {
  const key = name
    .replace(/^-+/, '')
    .replaceAll('-', '_')
    .replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const same = descriptors.find(({ yamlKey }) => yamlKey === key)?.name;
  const hint = same === undefined ? trlHint(key, descriptors, 'flag') : null;
  if (hint !== null) return `unknown option "${name}": ${withoutFlags(hint, descriptors)}`;
  const known = descriptors.map((one) => one.name);
  const near = same ?? nearest(name, known);
  return near
    ? `unknown option "${name}"; did you mean "${near}"?`
    : `unknown option "${name}". Use one of ${known.join(', ')}`;
}

/** A message with the names of options in place of their flags. */
function withoutFlags(message: string, descriptors: readonly OptionDescriptor[]): string {
  return message.replaceAll(/--[a-z][a-z0-9-]*/g, (flag) => {
    const named = descriptors.find((one) => one.flag === flag);
    if (named !== undefined) return named.name;
    const negated = descriptors.find((one) => one.negatedFlag === flag);
    return negated === undefined ? flag : `${negated.name}: false`;
  });
}
