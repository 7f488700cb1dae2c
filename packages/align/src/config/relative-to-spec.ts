import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { runResult } from './run-result.ts';

/**
 * A path in a spec is relative to the spec if it starts with a dot or exists there. Any other name
 * (hub:owner/name, or a path from the working folder) is unchanged. A run's folder is replaced by
 * its result.
 * @throws Error for a run without a result
 */
export function relativeToSpec(name: string, folder: string): string {
  const path = join(folder, name);
  const own = !isAbsolute(name) && (/^\.\.?\//.test(name) || existsSync(path));
  return runResult(own ? path : name);
}
