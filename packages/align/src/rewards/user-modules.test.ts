import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'keel-user-modules-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const files: Record<string, string> = {
  'util.ts': 'export const size = (text: string): number => text.length;\n',
  'lib/index.ts': "export { size } from '../util.js';\n",
  'bare.ts': "import { size } from './util';\nexport default ({ text }) => size(text);\n",
  'written.ts': "import { size } from './util.js';\nexport default ({ text }) => size(text);\n",
  'folder.ts': "import { size } from './lib';\nexport default ({ text }) => size(text);\n",
  'keel.ts':
    "import { spokenText } from '@keel/align/rewards';\nexport default ({ completion }) => spokenText(completion).length;\n",
  'common/package.json': '{ "type": "commonjs" }\n',
  'common/reward.ts': "import { size } from './size';\nexport default ({ text }) => size(text);\n",
  'common/size.ts': 'export const size = (text: string): number => text.length;\n',
  'syntax.ts': 'const a = 1;\nexport default () => a +;\n',
  'syntax.mjs': 'const a = 1;\nexport default () => a +;\n',
  'inner.ts': "import { a } from './broken.ts';\nexport default () => a;\n",
  'broken.ts': '\n\nexport const a = 1 +;\n',
  'enum.ts': '\nenum Kind { a }\nexport default () => Kind.a;\n',
  'namespace.ts': 'namespace N { export const a = 1 }\nexport default () => N.a;\n',
  'property.ts':
    'class A {\n  constructor(readonly a: number) {}\n}\nexport default () => new A(1).a;\n',
  'type.ts': "import { Size } from './size.ts';\nexport default (size: Size) => 1;\n",
  'size.ts': 'export type Size = number;\n',
  'absent.ts': "import 'node:fs';\nimport { a } from './nowhere';\nexport default () => a;\n",
  'package.ts': "import { a } from 'no-such-package/part';\nexport default () => a;\n",
  'loading.ts': 'const a: any = null;\n\na.b.c();\nexport default () => 1;\n',
  'throwing.ts':
    "import { size } from './thrower';\nexport default ({ text }) => size(text);\nexport const later = async () => {\n  await null;\n  throw new RangeError('too long');\n};\n",
  'thrower.ts': '\nexport const size = (text: any) => text.a.b;\n',
};

type Line = { outcomes?: unknown; error?: string };
const lines = new Map<string, Line>();
const modules = Object.keys(files).filter(
  (name) => !/util|broken|size|thrower|index|json/.test(name),
);

beforeAll(() => {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const child = fileURLToPath(new URL('./fixtures/load-functions.ts', import.meta.url));
  const printed = execFileSync(process.execPath, [child, ...modules, 'throwing.ts#later'], {
    cwd: folder,
    encoding: 'utf8',
  });
  for (const line of printed.trimEnd().split('\n')) {
    const { module, ...rest } = JSON.parse(line) as Line & { module: string };
    lines.set(module, rest);
  }
});

describe('imports', () => {
  test.each([
    'bare.ts',
    'written.ts',
    'folder.ts',
    'keel.ts',
    'common/reward.ts',
  ])('of %s resolve', (name) => {
    expect(lines.get(name)).toEqual({ outcomes: [{ score: 4 }] });
  });

  test.each([
    ['absent.ts', 'absent.ts:2:19', './nowhere'],
    ['package.ts', 'package.ts:1:19', 'npm install no-such-package'],
  ])('of %s that do not resolve name the importing module', (name, place, what) => {
    const { error } = lines.get(name)!;
    expect(error).toContain(place);
    expect(error).toContain(what);
  });
});

test.each([
  ['syntax.ts', 'syntax.ts:2:25', 'export default () => a +;'],
  ['syntax.mjs', 'syntax.mjs:2:25', 'export default () => a +;'],
  ['inner.ts', 'broken.ts:3:21', 'export const a = 1 +;'],
  ['enum.ts', 'enum.ts:2:1', 'enum Kind { a }'],
  ['namespace.ts', 'namespace.ts:1:1', 'namespace N'],
  ['property.ts', 'property.ts:2:24', 'constructor(readonly a: number) {}'],
  ['type.ts', 'type.ts:1:10', "import type { Size } from './size.ts'"],
  ['loading.ts', 'loading.ts:3:3', 'a.b.c();'],
])('%s does not load, with the place and the text of the line', (name, place, text) => {
  const { error } = lines.get(name)!;
  expect(error).toContain(` ${place}: `);
  expect(error).toContain(text);
});

test.each([
  ['throwing.ts', 'thrower.ts:2:43'],
  ['throwing.ts#later', 'throwing.ts:5:9'],
])('an exception of %s has its place in the module', (name, place) => {
  expect(lines.get(name)!.error).toContain(`(at ${place})`);
});
