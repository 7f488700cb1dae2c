import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noGrad, tidy, withSeed } from '@keel/torch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addLora, removeAdapter } from '../adapters/lora.ts';
import { openGguf } from '../formats/gguf.ts';
import { writeGguf } from '../formats/gguf-writer.ts';
import { LanguageModel } from '../language-model.ts';
import { largestDifference, logitValues } from '../loading/fixtures/forward.ts';
import { tinyConfigs, writeTinyModel } from '../loading/fixtures/tiny-models.ts';
import { loadDecoder } from '../loading/load-decoder.ts';
import { linearLayers } from '../loading/named-weights.ts';
import { tinyTokenizerJson } from '../tokenizer/testing/tiny-tokenizer.ts';
import { Tokenizer } from '../tokenizer/tokenizer.ts';
import { ggufAdapter, loadGgufAdapter } from './adapter-gguf.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-adapter-gguf-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sequences = [
  [5, 6, 7, 8, 9, 10, 11],
  [20, 3, 40],
];
const lineage = {
  ...{ name: 'tiny', license: null, methods: [], adapterSha256: 'cd' },
  base: { name: '/models/tiny', repository: null, sha256: 'ab' },
};

async function adapted(family: string) {
  const path = writeTinyModel(join(folder, family), tinyConfigs[family]!);
  const { decoder, configJson } = await loadDecoder(path, { computeType: 'float32' });
  const json = tinyTokenizerJson();
  const tokenizer = new Tokenizer({ source: 'tiny', json, config: { eos_token: '<|end|>' } });
  const model = new LanguageModel({
    ...{ decoder, configJson, tokenizer, device: 'cpu', name: path },
    hash: async () => 'ab',
  });
  const options = { rank: 2, alpha: 8, targets: 'all-linear', seed: 3 } as const;
  const parameters = addLora(decoder, 'a', options);
  const draw = (): void => [...parameters.values()].forEach((one) => void one.normal_(0, 0.3));
  tidy(() => noGrad(() => withSeed(3, draw)));
  return model;
}

describe('a GGUF file of an adapter', () => {
  it.each(
    Object.keys(tinyConfigs).filter((family) => family !== 'gemma3'),
  )('on %s computes what the adapter computes', async (family) => {
    const model = await adapted(family);
    // One layer with a scale of its own.
    const { decoder } = model;
    const first = linearLayers(decoder)[0]!;
    first.adapters.set('a', { ...first.adapters.get('a')!, scale: 1.5 });
    const before = logitValues(decoder, sequences, 'a');
    const path = join(folder, `${family}.gguf`);
    ggufAdapter(model, 'a', { type: 'f32', lineage }).write(path);
    removeAdapter(decoder, 'a');
    const base = logitValues(decoder, sequences);
    loadGgufAdapter(decoder, path, 'b');
    expect(largestDifference(before, logitValues(decoder, sequences, 'b'))).toBeLessThan(1e-4);
    expect(largestDifference(before, base)).toBeGreaterThan(0.1);
    model.dispose();
  });

  it('has the metadata and the names that llama.cpp reads', async () => {
    const model = await adapted('llama');
    const path = join(folder, 'named.gguf');
    const made = ggufAdapter(model, 'a', { type: 'f16', lineage });
    made.write(path);
    using file = openGguf(path);
    expect(file.metadata).toMatchObject({
      'general.architecture': 'llama',
      'general.type': 'adapter',
      'adapter.type': 'lora',
      'adapter.lora.alpha': 8,
      'general.base_model.0.name': 'tiny',
      'keel.base.sha256': 'ab',
    });
    expect(file.info('blk.1.attn_q.weight.lora_a')).toMatchObject({ type: 'F16', shape: [2, 16] });
    expect(file.info('blk.0.ffn_down.weight.lora_b').shape).toEqual([16, 2]);
    expect(made.bytes).toBe(file.names().reduce((sum, one) => sum + file.info(one).byteLength, 0));
    model.dispose();
  });

  it('is refused if it does not fit, or is something else', async () => {
    const model = await adapted('llama');
    const path = join(folder, 'wrong.gguf');
    const tensor = (name: string, shape: number[]) => ({
      ...{ name, type: 'F32' as const, shape },
      values: () => new Float32Array(shape.reduce((a, b) => a * b)),
    });
    const write = (kind: string, ...tensors: ReturnType<typeof tensor>[]): void =>
      writeGguf(
        path,
        new Map([
          ['general.architecture', { type: 'string', value: 'llama' }],
          ['general.type', { type: 'string', value: kind }],
          ['adapter.type', { type: 'string', value: 'lora' }],
          ['adapter.lora.alpha', { type: 'float32', value: 8 }],
        ]),
        tensors,
      );
    const load = (): void => loadGgufAdapter(model.decoder, path, 'b');
    write('model', tensor('w', [1]));
    expect(load).toThrow(/not a LoRA adapter/);
    write('adapter', tensor('blk.9.attn_q.weight.lora_a', [2, 16]));
    expect(load).toThrow(/blk\.9\.attn_q.*no linear layer/);
    write('adapter', tensor('blk.0.attn_q.weight.lora_a', [2, 8]));
    expect(load).toThrow(/\[2, 8\], expected \[2, 16\]/);
    model.dispose();
  });
});
