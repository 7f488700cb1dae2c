// What a package exports has a doc comment: the API pages are made of these.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'oxc-parser';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../packages', import.meta.url));

interface Exported {
  name: string;
  /** The file that declares it. */
  path: string;
}

const parsed = (path: string) => parseSync(path, readFileSync(path, 'utf8'));

/** The names that a file exports, with the files that declare them. */
function exportsOf(path: string): Exported[] {
  return parsed(path).module.staticExports.flatMap(({ entries }) =>
    entries.flatMap(({ exportName, importName, moduleRequest, localName }) => {
      const from = moduleRequest?.value;
      if (from === undefined) return [{ name: exportName.name ?? localName.name ?? '', path }];
      if (!from.startsWith('.')) return [];
      const file = join(dirname(path), from);
      if (importName.kind === 'AllButDefault' || importName.kind === 'All') {
        return exportName.name === null ? exportsOf(file) : [];
      }
      return exportsOf(file).filter(({ name }) => name === importName.name);
    }),
  );
}

/** Names that a declaration binds: one, or those of an object that it takes apart. */
function namesOf(id: object): string[] {
  if ('name' in id) return [String(id.name)];
  const properties = 'properties' in id ? (id.properties as { value?: object }[]) : [];
  return properties.flatMap(({ value }) => (value === undefined ? [] : namesOf(value)));
}

/** The names that a file declares with a doc comment. */
function documentedIn(path: string): Set<string> {
  const { program, comments } = parsed(path);
  const source = readFileSync(path, 'utf8');
  const found = new Set<string>();
  for (const statement of program.body) {
    const declared = 'declaration' in statement ? statement.declaration : statement;
    const before = comments.filter(({ end }) => end <= statement.start).at(-1);
    const isDoc =
      before !== undefined &&
      before.type === 'Block' &&
      before.value.startsWith('*') &&
      source.slice(before.end, statement.start).trim() === '';
    if (!isDoc || declared === null || typeof declared !== 'object') continue;
    if ('id' in declared && declared.id !== null && 'name' in declared.id) {
      found.add(String(declared.id.name));
    }
    if ('declarations' in declared) {
      for (const { id } of declared.declarations) for (const one of namesOf(id)) found.add(one);
    }
  }
  return found;
}

const packages = ['statistics', 'torch', 'model', 'align', 'evaluate'];

it.each(packages)('every export of @keel/%s has a doc comment', (name) => {
  const index = join(root, name, 'src', 'index.ts');
  expect(existsSync(index)).toBe(true);
  const exported = exportsOf(index);
  expect(exported.length).toBeGreaterThan(10);
  const without = exported
    .filter(({ name: one, path }) => !documentedIn(path).has(one))
    .map(({ name: one, path }) => `${path.slice(root.length + 1)}: ${one}`);
  expect(without).toEqual([]);
});
