import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../formats/safetensors.ts';
import { logitValues } from './fixtures/forward.ts';
import { tinyConfigs, writeTinyModel } from './fixtures/tiny-models.ts';
import { loadDecoder } from './load-decoder.ts';
import { disposeDecoder } from './named-weights.ts';
import { saveModel } from './save-model.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-saving-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sequences = [
  [5, 6, 7, 8, 9, 10, 11],
  [20, 3],
];
const load = (path: string) => loadDecoder(path, { computeType: 'float32' });
const json = (...path: string[]) => JSON.parse(readFileSync(join(...path), 'utf8'));

describe('saveModel', () => {
  it.each(Object.keys(tinyConfigs))('writes a %s model back bit for bit', async (name) => {
    const from = writeTinyModel(join(folder, name), tinyConfigs[name]!);
    const to = join(folder, `${name}-saved`);
    const first = await load(from);
    saveModel(to, first.decoder, first.configJson, null, { dtype: 'F32' });
    const again = await load(to);
    expect(logitValues(again.decoder, sequences)).toEqual(logitValues(first.decoder, sequences));
    using one = openSafetensors(from);
    using other = openSafetensors(to);
    expect(other.names().sort()).toEqual(one.names().sort());
    for (const tensor of one.names()) {
      expect(other.info(tensor)).toEqual(one.info(tensor));
      expect(other.read(tensor)).toEqual(one.read(tensor));
    }
    expect(other.metadata).toEqual({ format: 'pt' });
    for (const { decoder } of [first, again]) disposeDecoder(decoder);
  });

  it('describes in config.json what it wrote', async () => {
    const from = writeTinyModel(join(folder, 'plain'), tinyConfigs.gemma2!);
    const { decoder, configJson } = await load(from);
    const to = join(folder, 'half');
    saveModel(to, decoder, configJson, null, { dtype: 'BF16' });
    expect(json(to, 'config.json')).toMatchObject({
      model_type: 'gemma2',
      architectures: ['Gemma2ForCausalLM'],
      dtype: 'bfloat16',
      tie_word_embeddings: true,
      sliding_window: 6,
    });
    expect(json(to, 'generation_config.json')).toEqual({ bos_token_id: 1, eos_token_id: 2 });
    // transformers 5 refuses 30 in this field, and 6.0 in that one.
    const text = readFileSync(join(to, 'config.json'), 'utf8');
    expect(text).toMatch(/"final_logit_softcapping": 30\.0,/);
    expect(text).toMatch(/"rope_theta": 10000\.0,/);
    expect(text).toMatch(/"sliding_window": 6,/);
    using file = openSafetensors(to);
    expect(file.info('model.norm.weight').dtype).toBe('BF16');
    disposeDecoder(decoder);
  });

  it("keeps the base's generation_config.json, or makes one from the known ids", async () => {
    const from = writeTinyModel(join(folder, 'generating'), tinyConfigs.llama!);
    const { decoder, configJson } = await load(from);
    const to = join(folder, 'generating-saved');
    const text = '{"eos_token_id": [2, 5], "temperature": 1.0, "do_sample": true}\n';
    const read = () => readFileSync(join(to, 'generation_config.json'), 'utf8');
    saveModel(to, decoder, configJson, null, { dtype: 'F32', generationConfig: text });
    expect(read()).toBe(text);
    const tokenizer = { save: () => {}, endOfTurnIds: new Set([7, 2]) };
    saveModel(to, decoder, configJson, tokenizer, { dtype: 'F32' });
    expect(JSON.parse(read())).toEqual({ bos_token_id: 1, eos_token_id: [2, 7] });
    disposeDecoder(decoder);
  });

  it('writes shards with an index, and leaves no weights of an earlier save', async () => {
    const { decoder, configJson } = await load(
      writeTinyModel(join(folder, 'whole'), tinyConfigs.llama!),
    );
    const to = join(folder, 'sharded');
    const saved: string[] = [];
    const tokenizer = { save: (inside: string) => void saved.push(inside) };
    saveModel(to, decoder, configJson, tokenizer, { dtype: 'F32' });
    writeFileSync(join(to, 'notes.txt'), 'mine');
    saveModel(to, decoder, configJson, tokenizer, { dtype: 'F32', shardBytes: 9000 });
    const names = readdirSync(to).sort();
    expect(names.filter((name) => name.endsWith('.safetensors')).length).toBeGreaterThan(2);
    expect(names).not.toContain('model.safetensors');
    expect(names).toContain('notes.txt');
    expect(names.filter((name) => name.includes('partial'))).toEqual([]);
    expect(saved.length).toBe(2);
    const again = await load(to);
    expect(logitValues(again.decoder, sequences)).toEqual(logitValues(decoder, sequences));
    saveModel(to, decoder, configJson, tokenizer, { dtype: 'F32' });
    expect(readdirSync(to).filter((name) => name.startsWith('model'))).toEqual([
      'model.safetensors',
    ]);
    for (const one of [decoder, again.decoder]) disposeDecoder(one);
  });

  it('leaves nothing behind if it fails', async () => {
    const { decoder, configJson } = await load(
      writeTinyModel(join(folder, 'fine'), tinyConfigs.llama!),
    );
    const before = readdirSync(folder);
    const broken = {
      save: () => {
        throw new Error('disk full');
      },
    };
    const to = join(folder, 'broken');
    expect(() => saveModel(to, decoder, configJson, broken, { dtype: 'F32' })).toThrow('disk full');
    expect(readdirSync(folder)).toEqual(before);
    disposeDecoder(decoder);
  });
});
