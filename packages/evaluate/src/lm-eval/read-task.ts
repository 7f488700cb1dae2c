// Reads task files of lm-evaluation-harness, with those that they include, and groups of tasks.
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { ConfigError } from '@keel/align/config';
import { readYamlFile } from '@keel/align/internal';
import { checkForeignSpec } from '../specs/read-spec.ts';
import {
  type LmEvalGroup,
  type LmEvalTask,
  lmEvalGroupSchema,
  lmEvalTaskSchema,
} from './task-schema.ts';

export interface ReadTask {
  task: LmEvalTask;
  /** Its file, for messages. */
  path: string;
  folder: string;
}

export interface ReadTasks {
  tasks: ReadTask[];
  groups: (LmEvalGroup & { tasks: string[] })[];
}

const TASK = 'a task of lm-eval, with "task:" and "output_type:" in it';

/**
 * Reads a task, or a group with its tasks.
 * @throws ConfigError naming file, line and column of a key that Keel does not read
 */
export function readLmEvalTasks(path: string): ReadTasks {
  const own = readYamlFile(path, TASK).document.toJS() as Record<string, unknown> | null;
  if (own === null || !Object.hasOwn(own, 'group')) return { tasks: [readTask(path)], groups: [] };
  const group = checkForeignSpec(path, lmEvalGroupSchema, TASK);
  const names = typeof group.task === 'string' ? [group.task] : group.task;
  const found = names.map((name) => readLmEvalTasks(taskFile(name, path)));
  const tasks = found.flatMap((one) => one.tasks);
  return {
    tasks,
    groups: [
      { ...group, tasks: tasks.map(({ task }) => task.task) },
      ...found.flatMap((one) => one.groups),
    ],
  };
}

function readTask(path: string): ReadTask {
  const { value, from } = withIncluded(path, []);
  const task = checkForeignSpec(path, lmEvalTaskSchema, TASK, value);
  return { task, path: from.length > 1 ? from.join(', ') : path, folder: dirname(path) };
}

/** The keys of a file over those of the file that it includes. */
function withIncluded(
  path: string,
  within: readonly string[],
): { value: Record<string, unknown>; from: string[] } {
  if (within.includes(resolve(path))) {
    throw new ConfigError([`${path}: includes itself. Remove "include"`]);
  }
  const own = (readYamlFile(path, TASK).document.toJS() ?? {}) as Record<string, unknown>;
  const { include, ...rest } = own;
  if (include === undefined) return { value: rest, from: [path] };
  if (typeof include !== 'string') {
    throw new ConfigError([`${path}: include: expected the path of one file`]);
  }
  const base = withIncluded(join(dirname(path), include), [...within, resolve(path)]);
  return { value: { ...base.value, ...rest }, from: [path, ...base.from] };
}

/** The file of a group's task: its path, or the file next to the group's that has its name. */
function taskFile(name: string, group: string): string {
  const folder = dirname(group);
  const direct = [name, `${name}.yaml`, `${name}.yml`]
    .map((one) => join(folder, one))
    .find((one) => /\.ya?ml$/.test(one) && existsSync(one));
  if (direct !== undefined) return direct;
  const others = readdirSync(folder).filter(
    (file) => /\.ya?ml$/.test(file) && file !== basename(group),
  );
  const named = others.find((file) => {
    const value: unknown = readYamlFile(join(folder, file), TASK).document.toJS();
    const { task, group: inner } = (value ?? {}) as Record<string, unknown>;
    return task === name || inner === name;
  });
  if (named !== undefined) return join(folder, named);
  throw new ConfigError([
    `${group}: task "${name}": there is no ${name}.yaml in ${folder}, and no file there has this name. Tasks that come with lm-eval are not part of Keel: copy their files`,
  ]);
}
