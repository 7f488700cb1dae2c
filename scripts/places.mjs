// Paths that setup uses inside the clone.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Setup's logs, lock and stamps. */
export const state = join(root, '.cache', 'setup');

/** The pinned Node, which runs everything after setup. */
export const pinnedNode = join(root, 'node_modules', 'node', 'bin', 'node');

/** An environment in which `node` and the workspace's own commands are the pinned ones. */
export function pinnedEnvironment(env = process.env) {
  const folders = [join(root, 'node_modules', 'node', 'bin'), join(root, 'node_modules', '.bin')];
  return { ...env, PATH: [...folders, env.PATH].join(':') };
}
