// What determines a stage's result, and what has changed since it ran.
import { statSync } from 'node:fs';
import { dirname, relative, sep } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { addonBuild } from '@keel/torch';
import { snakeCase } from '../config/case.ts';
import { yamlValues } from '../config/write-config.ts';
import { hashPath } from '../data/hash-path.ts';
import type { FileHash } from '../data/open-rows.ts';
import { keelVersion } from '../runs/environment.ts';
import { inputFiles } from '../training/input-files.ts';
import { definitionOf, dependsOn, type RecipeStage, stageFolder } from './recipe.ts';
import type { StageIdentity } from './stage-records.ts';

/**
 * Options that do not change the result: its folder, and how often the run is saved and reported.
 */
const others = [
  ...['output', 'save_steps', 'save_total_limit', 'log_every'],
  ...['sample_prompts', 'sample_tokens', 'max_kl'],
];

/** Results of earlier stages; null if a stage has yet to run. */
export type KnownResults = ReadonlyMap<string, readonly FileHash[] | null>;

/**
 * @returns `complete` is false if a stage that it depends on has no result yet; its inputs then
 *   lack that result
 * @throws DataError, Error if named rows or models do not exist
 */
export async function identityOfStage(
  stage: RecipeStage,
  results: KnownResults,
): Promise<{ identity: StageIdentity; complete: boolean }> {
  const { verb, options, from } = stage;
  const values = yamlValues(definitionOf(stage), options);
  for (const name of others) delete values[name];
  // Evaluations matter only where one of them gives the result.
  if (options.bestMetric == null) {
    delete values.eval_steps;
    delete values.eval_suites;
  }
  const inputs: StageIdentity['inputs'] = {};
  let complete = true;
  for (const { name, yamlKey, flagOnly, reads } of definitionOf(stage).descriptors) {
    if (flagOnly || !(yamlKey in values)) continue;
    const stages = from.get(name) ?? [];
    const known = stages.map((one) => results.get(one) ?? null);
    if (known.includes(null)) complete = false;
    const named = await inputFiles(reads, withoutResults(stage, name));
    const files =
      stages.length > 0 ? [...(await resultsIn(stage, name, known)), ...(named ?? [])] : named;
    if (files === null) continue;
    inputs[yamlKey] = files;
    delete values[yamlKey];
  }
  if (stage.kind === 'job') {
    const more = Object.entries(stage.job.files?.(stage.options) ?? {});
    for (const [name, paths] of more) {
      const own = paths.filter((path) => !isResultOf(stage, dependsOn(stage), path));
      const files = await inputFiles('folder', own);
      if (files !== null) inputs[`${snakeCase(name)}_files`] = files;
    }
  }
  const code = `Keel ${keelVersion()}, ${addonBuild()}`;
  const plain = plainValue(values) as Record<string, unknown>;
  return { identity: { verb, options: plain, inputs, code }, complete };
}

/** The results of stages that an option names: of rows the files, otherwise the whole results. */
async function resultsIn(
  stage: RecipeStage,
  option: string,
  known: readonly (readonly FileHash[] | null)[],
): Promise<FileHash[]> {
  if (known.includes(null)) return [];
  const stages = stage.from.get(option) ?? [];
  const rows = [stage.options[option]]
    .flat()
    .map(String)
    // Models and runs are folders.
    .filter(
      (path) =>
        isResultOf(stage, stages, path) && statSync(path, { throwIfNoEntry: false })?.isFile(),
    );
  if (rows.length === 0) return known.flatMap((one) => one ?? []);
  const folder = dirname(stage.options.output);
  return Promise.all(
    rows.map(async (path) => ({
      name: `stages.${relative(folder, path)}`,
      sha256: await hashPath(path),
    })),
  );
}

/** An option's value without the results of earlier stages; a list may have both. */
function withoutResults(stage: RecipeStage, option: string): unknown {
  const stages = stage.from.get(option) ?? [];
  const value = stage.options[option];
  if (stages.length === 0) return value;
  return [value].flat().filter((one) => !isResultOf(stage, stages, String(one)));
}

/** Whether a path, perhaps written as `model:path`, is a result of one of these stages. */
function isResultOf({ options }: RecipeStage, stages: readonly string[], path: string): boolean {
  const plain = path.replace(/^\w+:/, '');
  const folders = stages.map((name) => stageFolder(dirname(options.output), name));
  return folders.some((folder) => plain === folder || plain.startsWith(`${folder}${sep}`));
}

/**
 * The differences between a stage and what ran, in a few words each; empty if there are none.
 * @param unknown YAML keys of inputs whose values are not known yet
 * @param defaults by YAML key; an option that one side does not have is as its default
 */
export function changesOf(
  before: StageIdentity,
  now: StageIdentity,
  unknown: readonly string[] = [],
  defaults: Readonly<Record<string, unknown>> = {},
): string[] {
  if (before.verb !== now.verb) return [`verb changed from ${before.verb} to ${now.verb}`];
  const valueIn = ({ options }: StageIdentity, key: string): unknown =>
    key in options ? options[key] : plainValue(defaults[key]);
  const show = (value: unknown): string => (value === undefined ? 'unset' : json(value));
  const keys = (of: 'options' | 'inputs'): string[] => [
    ...new Set([...Object.keys(before[of]), ...Object.keys(now[of])]),
  ];
  const options = keys('options')
    .filter((key) => !(key in now.inputs) && !(key in before.inputs))
    .filter((key) => !isDeepStrictEqual(valueIn(before, key), valueIn(now, key)))
    .map((key) => `${key} changed from ${show(before.options[key])} to ${show(now.options[key])}`);
  const inputs = keys('inputs')
    .filter((key) => !unknown.includes(key))
    .flatMap((key) => changedFiles(key, before.inputs[key] ?? [], now.inputs[key] ?? []));
  const code = before.code === now.code ? [] : [`it ran with ${before.code}; this is ${now.code}`];
  return [...options, ...inputs, ...code];
}

/** An option's defaults by YAML key, as {@link changesOf} compares them. */
export const defaultsOf = (stage: RecipeStage): Record<string, unknown> =>
  Object.fromEntries(
    definitionOf(stage).descriptors.map(({ yamlKey, default: value }) => [yamlKey, value ?? null]),
  );

/** In the form in which it is read back. */
const plainValue = (value: unknown): unknown =>
  value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);

const json = (value: unknown): string =>
  Array.isArray(value) ? value.map(String).join(', ') : JSON.stringify(value);

/** Compares content and order, but not names. */
function changedFiles(key: string, before: readonly FileHash[], now: readonly FileHash[]) {
  const contents = (files: readonly FileHash[]): string => files.map((one) => one.sha256).join();
  if (contents(before) === contents(now)) return [];
  const names = (files: readonly FileHash[]): string =>
    files.length === 0 ? 'none' : files.map(({ name }) => name).join(', ');
  return names(before) === names(now)
    ? [`${key}: the content of ${names(now)} changed`]
    : [`${key} changed from ${names(before)} to ${names(now)}`];
}

/** YAML keys of options that take results of these stages. */
export const keysFrom = ({ from }: RecipeStage, stages: readonly string[]): string[] =>
  [...from]
    .filter(([, names]) => names.some((one) => stages.includes(one)))
    .map(([key]) => snakeCase(key));
