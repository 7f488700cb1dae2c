import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeGenerationConfig } from './generation-config.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-generation-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function written(generationConfig: string | null, ends: number[]): string {
  const configJson = { bos_token_id: 1, eos_token_id: 2 };
  const tokenizer = { endOfTurnIds: new Set(ends) };
  writeGenerationConfig(folder, { generationConfig, configJson, tokenizer });
  return readFileSync(join(folder, 'generation_config.json'), 'utf8');
}

describe('writeGenerationConfig', () => {
  it("keeps the base's file byte for byte if it has every token that ends a turn", () => {
    const text = '{ "eos_token_id": [2, 7],\n  "temperature": 1.0 }';
    expect(written(text, [7])).toBe(text);
    expect(written('{"do_sample": true}', [])).toBe('{"do_sample": true}');
  });

  it('adds the field if the base has none, since transformers would never stop', () => {
    expect(JSON.parse(written('{"do_sample": true}', [7]))).toEqual({
      ...{ eos_token_id: 7, do_sample: true },
    });
    expect(JSON.parse(written('{ }', [7, 8]))).toEqual({ eos_token_id: [7, 8] });
    expect(JSON.parse(written('{"eos_token_id": null}', [7]))).toEqual({ eos_token_id: 7 });
  });

  it('adds the missing ones after its own, and changes nothing else', () => {
    expect(written('{ "eos_token_id": 2,\n  "top_p": 1.0 }', [7, 2])).toBe(
      '{ "eos_token_id": [2,7],\n  "top_p": 1.0 }',
    );
    expect(written('{"eos_token_id": [3, 4]}', [7])).toBe('{"eos_token_id": [3,4,7]}');
  });

  it("is made from config.json's ids if the base has none", () => {
    expect(JSON.parse(written(null, [7]))).toEqual({ bos_token_id: 1, eos_token_id: [2, 7] });
    expect(JSON.parse(written(null, [2]))).toEqual({ bos_token_id: 1, eos_token_id: 2 });
  });
});
