// Describes what is wrong with a user's module: where, the line's text, and what to do.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { extname, isAbsolute, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { thrownText } from './checked-outcomes.ts';
import { isUserModule, UnresolvedImportError } from './user-modules.ts';

interface Spot {
  /** Absolute path. */
  file: string;
  /** Both are counted from 1. */
  line: number;
  column: number;
}

/** `reward.ts:12:9`, relative to the working directory if the file is below it. */
function spotName({ file, line, column }: Spot): string {
  const below = relative('', file);
  const name = below.startsWith('..') || isAbsolute(below) ? file : below;
  return `${name}:${line}:${column}`;
}

/** Where in a user's modules an error was thrown; null if none of them is in its stack. */
function thrownAt(error: unknown): Spot | null {
  const stack = (error as { stack?: unknown } | null)?.stack;
  if (typeof stack !== 'string') return null;
  for (const [, url, line, column] of stack.matchAll(/(file:\/\/[^\s()]+?):(\d+):(\d+)/g)) {
    if (!isUserModule(url!)) continue;
    return { file: fileURLToPath(url!), line: Number(line), column: Number(column) };
  }
  return null;
}

/** What a function threw, with the place in the user's module if there is one. */
export function placedText(error: unknown): string {
  const spot = thrownAt(error);
  return `${thrownText(error)}${spot === null ? '' : ` (at ${spotName(spot)})`}`;
}

/**
 * Describes why a user's module does not load: `reward.ts:2:23: Expression expected`, the line's
 * text, and what to do.
 * @param file absolute path of the requested module
 */
export function moduleFault(file: string, error: unknown): string {
  if (error instanceof UnresolvedImportError) {
    return described(spotOfText(error.file, error.specifier), error.message, importAdvice(error));
  }
  const { code, message = String(error) } = (error ?? {}) as { code?: string; message?: string };
  const spot = compiledAt(error) ?? thrownAt(error) ?? compiledAgain(file, error);
  const shown = message.split('\n')[0]!;
  return described(spot, shown, advice(code, shown, spot));
}

function described(spot: Spot | null, message: string, what: string | null): string {
  const said = what === null ? message : `${message}. ${what}`;
  if (spot === null) return said;
  const text = lineOf(spot);
  return `${spotName(spot)}: ${said}${text === '' ? '' : `\n    ${text}`}`;
}

const lineOf = ({ file, line }: Spot): string =>
  linesOf(file)[line - 1]?.trim().slice(0, 160) ?? '';

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}

/** Where a text is in a file that imports it. */
function spotOfText(file: string, text: string): Spot | null {
  const quoted = [`'${text}'`, `"${text}"`, `\`${text}\``];
  for (const [index, line] of linesOf(file).entries()) {
    for (const one of quoted) {
      const at = line.indexOf(one);
      if (at >= 0) return { file, line: index + 1, column: at + 1 };
    }
  }
  return null;
}

/** The place that Node prints above a syntax error: the file, some lines, and carets. */
function compiledAt(error: unknown): Spot | null {
  const stack = (error as { stack?: unknown } | null)?.stack;
  return error instanceof SyntaxError && typeof stack === 'string' ? spotIn(stack) : null;
}

function spotIn(printed: string): Spot | null {
  const [first = '', ...rest] = printed.split('\n');
  const [, path, line] = /^(\S.*):(\d+)$/.exec(first) ?? [];
  if (path === undefined) return null;
  const file = path.startsWith('file:') ? fileURLToPath(path) : path;
  const carets = rest.findIndex((text) => /^\s*\^+\s*$/.test(text));
  if (!isAbsolute(file) || carets < 0) return null;
  return { file, line: Number(line), column: rest[carets]!.indexOf('^') + 1 };
}

/** Milliseconds that a second attempt may take. */
const AGAIN_MILLISECONDS = 10_000;

/**
 * For a syntax error in JavaScript, Node prints the place only if nothing catches the error, so
 * another process imports the module. No code of the module runs, because it does not compile.
 */
function compiledAgain(file: string, error: unknown): Spot | null {
  if (!(error instanceof SyntaxError)) return null;
  const own = new URL(`./user-modules${extname(import.meta.url)}`, import.meta.url).href;
  const program = `const { importUserModule } = await import(${JSON.stringify(own)});
await importUserModule(${JSON.stringify(file)});`;
  const { stderr } = spawnSync(
    process.execPath,
    ['--no-warnings', '--input-type=module', '--eval', program],
    { encoding: 'utf8', timeout: AGAIN_MILLISECONDS },
  );
  return spotIn(stderr ?? '');
}

/** What to do about a module that does not load; null if the message is enough. */
function advice(code: string | undefined, message: string, spot: Spot | null): string | null {
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    const [, what = ''] = /TypeScript (.*?) is not/.exec(message) ?? [];
    return `Node removes types and does not compile other TypeScript. ${instead(what)}`;
  }
  if (code === 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING') {
    return 'Node does not run TypeScript below node_modules. Move the file, or compile it to JavaScript';
  }
  const [, from, name] =
    /module '(.*)' does not provide an export named '(.*)'/.exec(message) ?? [];
  if (from === undefined || spot === null) return null;
  return `If ${name} is a type, write "import type { ${name} } from '${from}'": Node removes types without reading other files`;
}

function instead(what: string): string {
  if (what.includes('enum')) return 'Write a constant object instead of the enum';
  if (what.includes('namespace') || what.includes('module')) {
    return 'Write a separate module instead of the namespace';
  }
  if (what.includes('parameter property')) {
    return 'Declare the field in the class, and assign it in the constructor';
  }
  return 'Write it in plain JavaScript with types, or compile the file to JavaScript';
}

function importAdvice({ file, specifier }: UnresolvedImportError): string {
  if (/^(?:\.|\/|file:)/.test(specifier)) {
    return 'There is no such file, with or without .ts, .mts, .js or .mjs. Fix the path';
  }
  return `Install it where ${file} can import it: npm install ${packageOf(specifier)}`;
}

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
