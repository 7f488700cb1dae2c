// Loads a user's module, and a function that it exports.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { moduleFault } from './module-fault.ts';
import { importUserModule } from './user-modules.ts';

export interface ImportedModule {
  exports: Record<string, unknown>;
  /** Absolute path. */
  file: string;
  /** The export that was asked for, or `default`. */
  name: string;
}

/**
 * Imports a TypeScript or JavaScript module.
 * @param module `module.ts`, or `module.ts#name` for a named export
 * @param folder that the path is relative to
 * @param what names its use in errors: `reward`
 * @throws Error if the module does not exist or does not load
 */
export async function importModule(
  module: string,
  folder: string,
  what: string,
): Promise<ImportedModule> {
  const [, path, exported] = /^(.*?)(?:#([^#/\\]*))?$/.exec(module) as unknown as string[];
  const file = resolve(folder, path!);
  if (!existsSync(file)) {
    const from = folder === '.' ? 'the folder in which the command runs' : `the spec in ${folder}`;
    throw new Error(
      `${what} ${module}: there is no file ${file}. A path to a module is relative to ${from}`,
    );
  }
  try {
    return { exports: await importUserModule(file), file, name: exported || 'default' };
  } catch (error) {
    throw new Error(`${what} ${module}: the module does not load: ${moduleFault(file, error)}`, {
      cause: error,
    });
  }
}

/**
 * A function that a module exports.
 * @param what starts errors: `reward judge.ts#name`
 * @throws Error if there is no function of this name
 */
export function exportedFunction(
  exports: Readonly<Record<string, unknown>>,
  name: string,
  what: string,
): (...args: never) => unknown {
  const found = exports[name];
  if (typeof found === 'function') return found as (...args: never) => unknown;
  const label = name === 'default' ? 'default export' : `"${name}"`;
  const fault = found === undefined ? `the module has no ${label}` : `${label} is not a function`;
  const others = Object.keys(exports).filter((key) => typeof exports[key] === 'function');
  const known = others.length > 0 ? `; its functions are ${others.join(', ')}` : '';
  throw new Error(`${what}: ${fault}${known}`);
}
