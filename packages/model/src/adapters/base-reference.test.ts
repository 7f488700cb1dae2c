import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { disposeDecoder } from '../loading/named-weights.ts';
import { tinyDecoder } from '../testing/tiny-decoder.ts';
import { baseOfAdapter, baseReference, canonicalModelName } from './base-reference.ts';
import { addLora } from './lora.ts';
import { saveAdapter } from './save-adapter.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-base-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const defaultRepository = 'HuggingFaceTB/SmolLM2-135M-Instruct';

describe('baseReference', () => {
  it('names a base as PEFT reads it', () => {
    const of = (name: string) => {
      const { base_model_name_or_path: base, revision } = baseReference(name);
      return [base, revision];
    };
    expect(of('hub:someone/tiny')).toEqual(['someone/tiny', null]);
    expect(of('hub:someone/tiny@v1')).toEqual(['someone/tiny', 'v1']);
    expect(of('hub:someone/tiny@refs/pr/3')).toEqual(['someone/tiny', 'refs/pr/3']);
    expect(of('SmolLM2-135M-Instruct')).toEqual([defaultRepository, null]);
    expect(of('smollm2-135m-instruct')).toEqual([defaultRepository, null]);
    expect(of(relative(process.cwd(), folder))).toEqual([folder, null]);
    expect(of(`${folder}/`)).toEqual([folder, null]);
    expect(of('some/model')).toEqual(['some/model', null]);
  });
});

describe('baseOfAdapter', () => {
  it.each([
    'hub:someone/tiny@v1',
    'hub:someone/tiny',
    `hub:${defaultRepository}`,
    'SMOLLM2-135m-instruct',
    'models/a.gguf',
  ])('returns the base that saveAdapter was given: %s', (name) => {
    const decoder = tinyDecoder({ dtype: 'float32' });
    addLora(decoder, 'policy', { rank: 1, alpha: 1, targets: 'all-linear', seed: 1 });
    const path = join(folder, 'saved');
    saveAdapter(path, decoder, 'policy', { baseModel: name });
    expect(baseOfAdapter(path)).toBe(canonicalModelName(name));
    // A base edited by hand takes precedence.
    const config = join(path, 'adapter_config.json');
    const json = JSON.parse(readFileSync(config, 'utf8'));
    writeFileSync(config, JSON.stringify({ ...json, base_model_name_or_path: 'other/base' }));
    expect(baseOfAdapter(path)).toMatch(/^hub:other\/base(@v1)?$/);
    disposeDecoder(decoder);
  });

  it('reads what PEFT wrote', () => {
    const path = join(folder, 'peft');
    mkdirSync(path);
    const of = (json: object): string => {
      writeFileSync(join(path, 'adapter_config.json'), JSON.stringify(json));
      return baseOfAdapter(path);
    };
    expect(of({ base_model_name_or_path: 'a/b', revision: null })).toBe('hub:a/b');
    expect(of({ base_model_name_or_path: 'a/b', revision: 'v2' })).toBe('hub:a/b@v2');
    expect(of({ base_model_name_or_path: defaultRepository })).toBe(`hub:${defaultRepository}`);
    expect(of({ base_model_name_or_path: folder })).toBe(folder);
    expect(() => of({ base_model_name_or_path: null })).toThrow(/does not name the base model/);
  });
});
