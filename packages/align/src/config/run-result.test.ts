import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from './config-error.ts';
import { runResult, withRunResults } from './run-result.ts';

let folder = '';
const inside = (...parts: string[]): string => join(folder, ...parts);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-run-result-'));
  for (const path of ['done/final', 'stopped/checkpoints/step-9', 'stopped/checkpoints/step-10']) {
    mkdirSync(inside(path), { recursive: true });
  }
  writeFileSync(inside('done/config.yaml'), '# keel sft, every option with its value\n');
  writeFileSync(inside('done/final/adapter_config.json'), '{}');
  writeFileSync(inside('stopped/config.yaml'), '# keel dpo, every option with its value\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('runResult', () => {
  it("is a run's final, and any other name itself", () => {
    expect(runResult(inside('done'))).toBe(inside('done', 'final'));
    for (const name of [inside('done', 'final'), 'hub:a/b', inside('absent'), 'regex:/x/']) {
      expect(runResult(name)).toBe(name);
    }
    expect(runResult(inside('stopped/checkpoints/step-9'))).toBe(
      inside('stopped/checkpoints/step-9'),
    );
  });

  it('of an unfinished run is an error that names its verb and its newest checkpoint', () => {
    expect(() => runResult(inside('stopped'))).toThrow(
      /keel dpo --config .*stopped\/config\.yaml --resume.*checkpoints\/step-10/,
    );
  });

  it('of several runs is an error that names the finished ones', () => {
    expect(() => runResult(folder)).toThrow(/2 runs.*done$/);
  });
});

describe('withRunResults', () => {
  const descriptors = [
    { name: 'adapter', reads: 'folder' },
    { name: 'reward', reads: 'reward' },
    { name: 'data', reads: 'rows' },
    { name: 'discriminatorFrom', reads: 'folder' },
  ] as const;
  const place = (name: string) => `--${name}`;

  it('replaces run folders in options that name models, also in lists', () => {
    const values = {
      adapter: [inside('done'), 'x'],
      reward: inside('done'),
      data: [inside('done')],
    };
    expect(withRunResults(descriptors, values, place)).toEqual({
      adapter: [inside('done/final'), 'x'],
      reward: inside('done/final'),
      data: [inside('done')],
    });
  });

  it('takes the discriminator of a run that has one', () => {
    mkdirSync(inside('d2po/discriminator'), { recursive: true });
    mkdirSync(inside('d2po/final'), { recursive: true });
    writeFileSync(inside('d2po/config.yaml'), '# keel d2po, every option with its value\n');
    const values = { discriminatorFrom: inside('d2po'), adapter: inside('d2po') };
    expect(withRunResults(descriptors, values, place)).toEqual({
      discriminatorFrom: inside('d2po/discriminator'),
      adapter: inside('d2po/final'),
    });
    rmSync(inside('d2po'), { recursive: true });
  });

  it('names the option with a run that has no result', () => {
    expect(() => withRunResults(descriptors, { reward: inside('stopped') }, place)).toThrow(
      ConfigError,
    );
    expect(() => withRunResults(descriptors, { reward: inside('stopped') }, place)).toThrow(
      /--reward: .*stopped/,
    );
  });
});
