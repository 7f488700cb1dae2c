// Reads suites by path or, for those that come with Keel, by name.
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError, nearest } from '@keel/align/config';
import { checkSpec } from '../specs/read-spec.ts';
import { type SuiteSpec, suiteSchema, type TaskSpec } from './suite-schema.ts';

/** A suite with the paths of its data resolved. */
export interface Suite {
  name: string;
  description: string;
  /** Its file. */
  path: string;
  tasks: SuiteTask[];
}

export interface SuiteTask {
  spec: TaskSpec;
  /** `file:line:column` of the task. */
  place: string;
}

const bundledFolder = fileURLToPath(new URL('../../suites', import.meta.url));

/** Names of the suites that come with Keel. */
export const bundledSuites = (): string[] =>
  existsSync(bundledFolder)
    ? readdirSync(bundledFolder).flatMap((file) => /^(.+)\.ya?ml$/.exec(file)?.[1] ?? [])
    : [];

/**
 * Reads a suite and checks its form. Its data is read when it is opened.
 * @param named a file, or the name of a suite that comes with Keel
 * @throws ConfigError naming file, line and column of every fault
 */
export function readSuite(named: string): Suite {
  const path = suitePath(named);
  const { value, placeOf } = checkSpec(path, suiteSchema, 'a suite, with "tasks:" in it');
  const { name = basename(path).replace(/\.[^.]+$/, ''), description } = value;
  refuseDuplicates(value, (index) => placeOf(['tasks', index, 'name']));
  const folder = dirname(path);
  const tasks = value.tasks.map((spec, index) => ({
    spec: located(spec, folder),
    place: placeOf(['tasks', index]),
  }));
  return { name, description, path, tasks };
}

function suitePath(named: string): string {
  if (/\.(?:ya?ml|json)$/i.test(named) || existsSync(named)) return named;
  const bundled = bundledSuites();
  if (bundled.includes(named)) return join(bundledFolder, `${named}.yaml`);
  const near = nearest(named, bundled);
  throw new ConfigError([
    `--suite ${named}: there is no such file, and no suite of this name comes with Keel${near === null ? '' : `. Did you mean "${near}"?`}${bundled.length === 0 ? '' : ` Suites of Keel: ${bundled.join(', ')}`}`,
  ]);
}

function refuseDuplicates({ tasks }: SuiteSpec, placeOf: (index: number) => string): void {
  const problems = tasks.flatMap(({ name }, index) =>
    tasks.findIndex((one) => one.name === name) === index
      ? []
      : [`${placeOf(index)}: the task "${name}" is a duplicate. Give it another name`],
  );
  if (problems.length > 0) throw new ConfigError(problems);
}

/** The task with its files relative to the suite's folder. */
function located(spec: TaskSpec, folder: string): TaskSpec {
  const place = (path: string): string => dataPath(path, folder);
  const data = typeof spec.data === 'string' ? place(spec.data) : spec.data.map(place);
  if (!('few_shot' in spec) || spec.few_shot?.data === undefined) return { ...spec, data };
  return { ...spec, data, few_shot: { ...spec.few_shot, data: place(spec.few_shot.data) } };
}

/** A path in a file of this folder; `hub:` specs and absolute paths are unchanged. */
export const dataPath = (path: string, folder: string): string =>
  path.startsWith('hub:') || isAbsolute(path) ? path : join(folder, path);
