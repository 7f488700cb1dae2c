// Links between pages lead somewhere, and the examples of docs/architecture/memory.md do what their
// comments say.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** Anchors of a page's headings, as GitHub and the site name them. */
const anchorsOf = (file: string): string[] =>
  [...read(file).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

function brokenLinks(file: string): string[] {
  const text = read(file).replace(/```.*?```/gs, '');
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!);
  return targets.filter((target) => {
    if (/^https?:/.test(target)) return false;
    const [path, anchor] = target.split('#') as [string, string?];
    const found = path === '' ? file : join(dirname(file), path);
    if (!existsSync(join(root, found))) return true;
    return anchor !== undefined && !anchorsOf(found).includes(anchor);
  });
}

const pages = execFileSync('git', ['ls-files', 'README.md', 'docs/*.md'], {
  cwd: root,
  encoding: 'utf8',
})
  .trim()
  .split('\n');

it.each(pages)('the links of %s lead somewhere', (page) => {
  expect(brokenLinks(page)).toEqual([]);
});

it('the menus of the site lead somewhere', () => {
  const menus = read('docs/.vitepress/config.mjs') + read('docs/index.md');
  const links = [...menus.matchAll(/(?:, '|link: )(\/[\w/-]+)/g)].map((match) => match[1]!);
  const own = links.filter((link) => !link.startsWith('/api/'));
  expect(own.length).toBeGreaterThan(20);
  expect(own.filter((link) => !existsSync(join(root, `docs${link}.md`)))).toEqual([]);
});

describe('docs/architecture/memory.md', () => {
  const page = read('docs/architecture/memory.md');
  const examples = [...page.matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1]!);

  it('has examples', () => {
    expect(examples.length).toBeGreaterThan(5);
  });

  it.each(examples)('example %#', (code) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module-typescript', '--eval', code],
      { cwd: root, encoding: 'utf8' },
    );
    const printed = [...code.matchAll(/console\.log\(.*\/\/ (.*)/g)].map((match) => match[1]!);
    const thrown = /\/\/ throws: (.*)/.exec(code)?.[1];
    expect(stdout.split('\n').filter((line) => line !== '')).toEqual(printed);
    if (thrown === undefined) expect(stderr).toBe('');
    else expect(stderr).toContain(thrown);
    expect(status).toBe(thrown === undefined ? 0 : 1);
  });
});
