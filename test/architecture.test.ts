// How the source is layered: which package and which folder may import which, no cycles, and no
// long lines. docs/architecture.md shows the same.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'oxc-parser';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../', import.meta.url));

/** Packages from the bottom up: each imports only those before it. */
const packages = ['statistics', 'torch', 'model', 'align', 'evaluate', 'serve', 'studio', 'cli'];

/** Layers of packages/align/src from the bottom up; folders of a layer do not import each other. */
const alignLayers = [
  ['files', 'sharing'],
  ['machine', 'config', 'health'],
  ['data'],
  ['tokenising', 'objectives', 'converting'],
  ['batching', 'runs'],
  ['judges'],
  ['hacking'],
  ['profiling', 'rewards', 'checking', 'answering'],
  ['training', 'merging'],
  ['reference', 'feedback', 'exporting'],
  ['asking'],
  ['rollouts'],
  ['methods'],
  ['recipes'],
  ['comparing', 'inspecting'],
];

const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(root, path)));

/**
 * A tensor's methods are operators, operators return tensors, and a call makes them: one unit in
 * three files.
 */
const oneUnit = ['call', 'ops.generated', 'tensor'].map((name) => `packages/torch/src/${name}.ts`);

const isTest = (path: string): boolean =>
  /\.test\.ts$|\/(fixtures|testing|attacks)\//.test(path) || path.startsWith('test/');
const sources = tracked.filter((path) => /^packages\/\w+\/src\/.*\.ts$/.test(path));

/** Files that a file imports, types included, by their paths in the repository. */
function importsOf(path: string): string[] {
  const { module, program } = parseSync(path, readFileSync(join(root, path), 'utf8'));
  expect(program, path).toBeDefined();
  const named = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
    ),
    ...module.dynamicImports.map(({ moduleRequest: { start, end } }) =>
      readFileSync(join(root, path), 'utf8')
        .slice(start, end)
        .replace(/^['"]|['"]$/g, ''),
    ),
  ];
  return named.flatMap((name) => {
    if (name.startsWith('.')) return normalize(join(dirname(path), name));
    const own = /^@keel\/(\w+)/.exec(name);
    return own === null ? [] : `packages/${own[1]}/src/index.ts`;
  });
}

const graph = new Map(
  sources.filter((path) => !isTest(path)).map((path) => [path, importsOf(path)]),
);

/** Groups of nodes that reach each other (Tarjan 1972). */
function cyclesOf(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (node: string): void => {
    index.set(node, index.size);
    low.set(node, index.get(node)!);
    stack.push(node);
    for (const next of edges.get(node) ?? []) {
      if (!edges.has(next)) continue;
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(node, Math.min(low.get(node)!, low.get(next)!));
    }
    if (low.get(node) !== index.get(node)) return;
    const group = stack.splice(stack.indexOf(node));
    if (group.length > 1) found.push(group.sort());
  };
  for (const node of edges.keys()) if (!index.has(node)) visit(node);
  return found;
}

const packageOf = (path: string): string => path.split('/')[1]!;
const folderOf = (path: string): string =>
  path.startsWith('packages/align/src/') ? (path.split('/')[4] ? path.split('/')[3]! : '') : '';

const isEntry = (path: string): boolean => /\/src\/(index\.ts|entries\/)/.test(path);

/** The folder of a file; files beside the folders of a package stand for themselves. */
const placeOf = (path: string): string => (/\/src\/[^/]+$/.test(path) ? path : dirname(path));

describe('imports', () => {
  it('have no cycle between files', () => {
    expect(cyclesOf(graph)).toEqual([oneUnit]);
  });

  it('of packages point downwards', () => {
    const wrong = [...graph].flatMap(([path, imports]) =>
      imports
        .filter((to) => packages.indexOf(packageOf(to)) > packages.indexOf(packageOf(path)))
        .map((to) => `${path} -> ${to}`),
    );
    expect(wrong).toEqual([]);
  });

  it('of align point to lower layers', () => {
    const layerOf = (path: string): number =>
      alignLayers.findIndex((layer) => layer.includes(folderOf(path)));
    const wrong = [...graph].flatMap(([path, imports]) => {
      const [folder, layer] = [folderOf(path), layerOf(path)];
      // The package's entries name what is public, from every layer.
      if (folder === '' || folder === 'entries') return [];
      return imports
        .filter((to) => to.startsWith('packages/align/') && folderOf(to) !== folder)
        .filter((to) => layerOf(to) >= layer || layerOf(to) < 0)
        .map((to) => `${path} -> ${relative('packages/align/src', to)}`);
    });
    expect(wrong).toEqual([]);
  });

  it('between the folders of a package have no cycle', () => {
    for (const name of packages) {
      const edges = new Map<string, string[]>();
      for (const [path, imports] of graph) {
        // What a package offers comes from all of its folders.
        if (packageOf(path) !== name || isEntry(path) || oneUnit.includes(path)) continue;
        const from = placeOf(path);
        const to = imports.filter((one) => packageOf(one) === name).map(placeOf);
        edges.set(
          from,
          [...new Set([...(edges.get(from) ?? []), ...to])].filter((d) => d !== from),
        );
      }
      expect(cyclesOf(edges), name).toEqual([]);
    }
  });
});

describe('lines', () => {
  const prose = /^\s*(\/\/|\*|\/\*\*?|#(?!include|define|if|else|endif|pragma))/;
  const literal = /['"`]|\/.+\//;
  const checked = /\.(ts|mjs|py|cpp|h|inc|md)$/;

  /** Lines that a formatter or a writer could break. */
  function longLines(path: string): string[] {
    let fenced = false;
    return readFileSync(join(root, path), 'utf8')
      .split('\n')
      .flatMap((line, index) => {
        if (path.endsWith('.md') && line.trimStart().startsWith('```')) fenced = !fenced;
        if (line.length <= 100 || line.split(/\s+/).some(({ length }) => length > 80)) return [];
        // Tables, quoted output and links in Markdown; text in literals elsewhere.
        if (path.endsWith('.md')) {
          if (fenced || /^(\s*\|| {4}|> |!\[)/.test(line)) return [];
        } else if (literal.test(line) && !prose.test(line)) return [];
        return [`${path}:${index + 1}`];
      });
  }

  it('have at most 100 characters', () => {
    const files = tracked
      .filter((path) => checked.test(path))
      // Texts that span lines of a program.
      .filter((path) => !/\.generated\.|\.test\.ts$|\/(fixtures|attacks)\/|docs\/api\//.test(path))
      .filter((path) => !/\/(operators|generation-prompts)\.ts$/.test(path));
    expect(files.flatMap(longLines)).toEqual([]);
  });
});
