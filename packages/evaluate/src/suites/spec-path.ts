import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** A spec of a reward or a judge: a path next to the suite if there is one, otherwise unchanged. */
export const specPath = (spec: string, folder: string): string => {
  const [path, ...name] = spec.split('#') as [string, ...string[]];
  const near = join(folder, path);
  return existsSync(near) ? [near, ...name].join('#') : spec;
};

/**
 * What identifies the file or folder of a spec: a file's text; of a folder, its files with their
 * sizes and times.
 */
export function fingerprint(spec: string): string {
  const path = spec.split('#')[0]!;
  if (!existsSync(path)) return spec;
  if (statSync(path).isFile()) return `${spec}\n${readFileSync(path, 'utf8')}`;
  const files = readdirSync(path).map((name) => {
    const { size, mtimeMs } = statSync(join(path, name));
    return `${name} ${size} ${mtimeMs}`;
  });
  return [spec, ...files.sort()].join('\n');
}
