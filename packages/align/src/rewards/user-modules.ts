// Imports modules that a user wrote. Relative imports between them may omit the ending, or name
// the JavaScript file that TypeScript would write (`./util`, `./util.js`). Node resolves neither.
import { readFileSync, statSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** URLs of modules that a user wrote: the requested ones, and their relative imports. */
const users = new Set<string>();
let registered = false;

/**
 * Imports a module and what it imports. Node's own errors pass through.
 * @param file absolute path
 * @throws UnresolvedImportError if a user's module imports what does not exist
 */
export async function importUserModule(file: string): Promise<Record<string, unknown>> {
  const { href } = pathToFileURL(file);
  users.add(href);
  if (!registered) {
    registerHooks({ resolve });
    registered = true;
  }
  return await import(href);
}

/** Whether a URL is that of a module that a user wrote. */
export const isUserModule = (url: string): boolean => users.has(withoutQuery(url));

/** A user's module imports what does not exist. */
export class UnresolvedImportError extends Error {
  override readonly name = 'UnresolvedImportError';
  /** Absolute path of the importing module. */
  readonly file: string;
  readonly specifier: string;

  constructor(file: string, specifier: string, options: ErrorOptions) {
    super(`cannot find "${specifier}"`, options);
    this.file = file;
    this.specifier = specifier;
  }
}

type Resolve = NonNullable<Parameters<typeof registerHooks>[0]['resolve']>;
type Context = Parameters<Resolve>[1];

const resolve: Resolve = (specifier, context, next) => {
  const parent = context.parentURL ?? '';
  if (isUserModule(specifier) && !isUserModule(parent)) return asWritten(next(specifier, context));
  if (!isUserModule(parent)) return next(specifier, context);
  const relative = /^(?:\.{1,2}(?:\/|$)|\/|file:)/.test(specifier);
  for (const [name, from] of candidates(specifier, relative, context)) {
    try {
      const found = next(name, from);
      if (!relative || !found.url.startsWith('file:')) return found;
      users.add(withoutQuery(found.url));
      return asWritten(found);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  throw new UnresolvedImportError(fileURLToPath(withoutQuery(parent)), specifier, {});
};

const isMissing = (error: unknown): boolean =>
  ['ERR_MODULE_NOT_FOUND', 'ERR_UNSUPPORTED_DIR_IMPORT'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  );

const endings = ['.ts', '.mts', '.js', '.mjs'];

/** The names to try, in order. */
function candidates(specifier: string, relative: boolean, context: Context): [string, Context][] {
  const names = [specifier];
  if (relative) {
    const written = /^(.*)\.(m?)js$/.exec(specifier);
    if (written) names.push(`${written[1]}.${written[2]}ts`);
    const bare = specifier.replace(/\/$/, '');
    names.push(...endings.map((ending) => bare + ending));
    names.push(...endings.map((ending) => `${bare}/index${ending}`));
  }
  const own = names.map((name): [string, Context] => [name, context]);
  // Keel's packages need not be installed next to the module.
  if (/^@keel\//.test(specifier)) own.push([specifier, { ...context, parentURL: import.meta.url }]);
  return own;
}

type Resolved = ReturnType<Resolve>;

/**
 * A module with `import` or `export` is an ES module, whatever the nearest package.json says:
 * `npm init` writes `"type": "commonjs"` into it.
 */
function asWritten(found: Resolved): Resolved {
  const ending = /\.[jt]s$/.exec(withoutQuery(found.url))?.[0];
  if (ending === undefined || found.format === 'module') return found;
  const path = fileURLToPath(withoutQuery(found.url));
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return found;
  if (!/^\s*(?:import|export)\b(?!\s*=)/m.test(readFileSync(path, 'utf8'))) return found;
  return { ...found, format: ending === '.ts' ? 'module-typescript' : 'module' };
}

const withoutQuery = (url: string): string => url.replace(/[?#].*$/, '');
