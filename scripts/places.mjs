// Where the set-up puts things inside the clone.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Logs, the lock and stamps of the set-up. */
export const state = join(root, '.cache', 'setup');

/** The pinned Node that runs everything after the set-up. */
export const pinnedNode = join(root, 'node_modules', 'node', 'bin', 'node');

/** An environment in which `node` and the workspace's own commands are the pinned ones. */
export function pinnedEnvironment(env = process.env) {
  const folders = [join(root, 'node_modules', 'node', 'bin'), join(root, 'node_modules', '.bin')];
  return { ...env, PATH: [...folders, env.PATH].join(':') };
}
