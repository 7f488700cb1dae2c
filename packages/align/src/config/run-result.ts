// Replaces a run's folder in an option with the run's result, in final/.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from './config-error.ts';
import type { OptionDescriptor } from './options.ts';

/** Files of a model or an adapter: a folder with one of them is not a run's folder. */
const results = ['config.json', 'adapter_config.json'];

const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/**
 * The folder to read when a run's folder is named: its `final`. Any other name is unchanged.
 * @throws Error if the run has not finished, or the folder is that of a recipe or a comparison
 */
export function runResult(name: string): string {
  if (!isFolder(name) || results.some((file) => existsSync(join(name, file)))) return name;
  const final = join(name, 'final');
  if (existsSync(join(name, 'config.yaml'))) {
    if (existsSync(final)) return final;
    throw new Error(unfinished(name));
  }
  const runs = readdirSync(name).filter((one) => existsSync(join(name, one, 'config.yaml')));
  if (runs.length === 0) return name;
  const finished = runs.filter((one) => existsSync(join(name, one, 'final')));
  const named = (finished.length > 0 ? finished : runs).map((one) => join(name, one));
  throw new Error(
    `${name} contains ${runs.length} runs, but no model itself. Pass one of them: ${named.join(', ')}`,
  );
}

function unfinished(run: string): string {
  const steps = checkpointsOf(run);
  const verb = verbOf(run);
  const config = join(run, 'config.yaml');
  const resume = `npx keel ${verb ?? '<verb>'} --config ${config} --resume`;
  const newest = steps.at(-1);
  const instead =
    newest === undefined
      ? ''
      : `, or pass its newest checkpoint: ${join(run, 'checkpoints', `step-${newest}`)}`;
  return `${run}: this run has not finished, so it has no final/. Finish it with \`${resume}\`${instead}`;
}

function checkpointsOf(run: string): number[] {
  const path = join(run, 'checkpoints');
  if (!isFolder(path)) return [];
  return readdirSync(path)
    .flatMap((name) => /^step-(\d+)$/.exec(name)?.slice(1).map(Number) ?? [])
    .sort((a, b) => a - b);
}

/** The verb, from the first line of config.yaml. */
function verbOf(run: string): string | null {
  const text = readFileSync(join(run, 'config.yaml'), 'utf8');
  return /^# keel ([\w-]+),/.exec(text)?.[1] ?? null;
}

/** Options that name a model, an adapter or a reward model. */
const naming = (descriptor: Pick<OptionDescriptor, 'reads'>): boolean =>
  ['model', 'reward', 'folder'].includes(descriptor.reads ?? '');

/**
 * Replaces run folders in the values of options with the folders of their results.
 * @param place where an option was given, for errors
 * @throws ConfigError naming the option, for a run without a result
 */
export function withRunResults<Values extends object>(
  descriptors: readonly Pick<OptionDescriptor, 'name' | 'reads'>[],
  values: Values,
  place: (name: string) => string,
): Values {
  const found = { ...values } as Record<string, unknown>;
  const problems: string[] = [];
  const resolved = (name: string, value: unknown): unknown => {
    if (Array.isArray(value)) return value.map((one) => resolved(name, one));
    if (typeof value !== 'string') return value;
    // A D2PO run has a discriminator and a policy.
    const discriminator = join(value, 'discriminator');
    if (name === 'discriminatorFrom' && isFolder(discriminator)) return discriminator;
    try {
      return runResult(value);
    } catch (error) {
      problems.push(`${place(name)}: ${(error as Error).message}`);
      return value;
    }
  };
  for (const { name } of descriptors.filter(naming)) found[name] = resolved(name, found[name]);
  if (problems.length > 0) throw new ConfigError(problems);
  return found as Values;
}
