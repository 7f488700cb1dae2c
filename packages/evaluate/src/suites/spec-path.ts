// Files and folders that a suite's tasks name: rewards, judges and modules.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Short forms whose rest is a path: `reward:runs/reward`. */
const shortForm = /^(?:model|reward|labels):/;

/** A spec of a reward or a judge: a path next to the suite if there is one, otherwise unchanged. */
export const specPath = (spec: string, folder: string): string => {
  const [form = ''] = shortForm.exec(spec) ?? [];
  const [path, ...name] = spec.slice(form.length).split('#') as [string, ...string[]];
  const near = join(folder, path);
  return existsSync(near) ? form + [near, ...name].join('#') : spec;
};

/** Files up to this size are identified by their text, larger ones by size and time. */
const TEXT_BYTES = 1e6;

/**
 * What identifies the file or folder of a spec: a file's text; of a folder, its files and those of
 * its folders with their sizes and times.
 */
export function fingerprint(spec: string): string {
  const path = spec.replace(shortForm, '').split('#')[0]!;
  if (!existsSync(path)) return spec;
  if (statSync(path).isFile()) {
    const small = statSync(path).size <= TEXT_BYTES;
    return `${spec}\n${small ? readFileSync(path, 'utf8') : stampOf(path)}`;
  }
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' });
  return [spec, ...files.sort().map((name) => `${name} ${stampOf(join(path, name))}`)].join('\n');
}

function stampOf(path: string): string {
  const { size = 0, mtimeMs = 0 } = statSync(path, { throwIfNoEntry: false }) ?? {};
  return `${size} ${mtimeMs}`;
}
