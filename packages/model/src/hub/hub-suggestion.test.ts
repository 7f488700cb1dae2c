import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { resolveModel } from '../resolve-model.ts';
import { hubSuggestion } from './hub-suggestion.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-hub-'));
afterAll(() => rmSync(folder, { recursive: true }));

it.each([
  'owner/name',
  'owner/name.v2@main',
  'owner/name:train',
  'owner/name/folder:test',
])('%s may be a repository of the hub', (name) => {
  expect(hubSuggestion(name)).toBe(`hub:${name}`);
});

it.each([
  'name',
  'hub:owner/name',
  './owner/name',
  '/owner/name',
  '../a/b',
  'a//b',
  '~/x',
])('%s is not a name of the hub', (name) => {
  expect(hubSuggestion(name)).toBeNull();
});

it('a name in an existing folder is a path', () => {
  const before = process.cwd();
  process.chdir(folder);
  try {
    expect(hubSuggestion('owner/name')).not.toBeNull();
  } finally {
    process.chdir(before);
  }
  expect(hubSuggestion('packages/nothing')).toBeNull();
});

it('the error about a missing model suggests the hub', async () => {
  await expect(resolveModel('owner/name')).rejects.toThrow(/owner\/name.* hub:owner\/name/);
});
