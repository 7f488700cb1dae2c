// Fields that change what a model computes, held against transformers.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { decoderConfigFrom } from '../families/registry.ts';
import type { TensorToWrite } from '../formats/safetensors-writer.ts';
import { largestDifference, logitValues } from './fixtures/forward.ts';
import { writeTinyModel } from './fixtures/tiny-models.ts';
// Made by fixtures/make-variants.py, which says where the weights come from.
import known from './fixtures/variants.json' with { type: 'json' };
import { loadDecoder } from './load-decoder.ts';
import { plannedModules } from './module-plan.ts';
import { disposeDecoder } from './named-weights.ts';
import { saveModel } from './save-model.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-variants-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Json = Record<string, unknown>;

function weightsOf(json: Json, ownHead: boolean): TensorToWrite[] {
  const own = decoderConfigFrom(json);
  const config = ownHead ? { ...own, tieEmbeddings: false } : own;
  const tensors = plannedModules(config).flatMap(({ name, kind, shape, bias }) => {
    const stored = kind === 'linear' && config.transposedLinears ? shape.toReversed() : shape;
    const weight = { name: `${name}.weight`, shape: [...stored] };
    return bias ? [weight, { name: `${name}.bias`, shape: shape.slice(0, 1) }] : [weight];
  });
  tensors.sort((a, b) => (a.name < b.name ? -1 : 1));
  return tensors.map(({ name, shape }, t) => {
    const isNorm = shape.length === 1 && name.endsWith('weight');
    const centre = isNorm && config.norm.weightOffset === 0 ? 1 : 0;
    const count = shape.reduce((product, size) => product * size, 1);
    const values = Float32Array.from(
      { length: count },
      (_, i) => centre + 0.3 * Math.sin(0.37 * i + 1.3 * t),
    );
    return { name, dtype: 'F32', shape, data: new Uint8Array(values.buffer) };
  });
}

const load = async (path: string) => {
  const notices: string[] = [];
  const notice = (text: string): void => void notices.push(text);
  return { ...(await loadDecoder(path, { computeType: 'float32', notice })), notices };
};

it.each(known.variants)('$name', async ({ name, config, logits }) => {
  const tensors = weightsOf(config, name.includes('head of its own'));
  const { decoder } = await load(writeTinyModel(join(folder, name), config, tensors));
  const last = logitValues(decoder, [known.ids]).slice(-64);
  expect(largestDifference(last, logits)).toBeLessThan(1e-4);
  disposeDecoder(decoder);
});

const tied = known.variants.find(({ name }) => name.includes('head of its own'))!.config as Json;

it('names a head that is not the embedding it is tied to, and saves it apart', async () => {
  const path = writeTinyModel(join(folder, 'apart'), tied, weightsOf(tied, true));
  const { decoder, configJson, notices } = await load(path);
  expect(notices).toEqual([expect.stringMatching(/tie_word_embeddings is true, .*lm_head.weight/)]);
  expect(decoder.config.tieEmbeddings).toBe(false);
  const saved = join(folder, 'apart-saved');
  saveModel(saved, decoder, configJson, null, { dtype: 'F32' });
  expect(JSON.parse(readFileSync(join(saved, 'config.json'), 'utf8'))).toMatchObject({
    tie_word_embeddings: false,
  });
  const again = await load(saved);
  expect(again.notices).toEqual([]);
  expect(logitValues(again.decoder, [known.ids])).toEqual(logitValues(decoder, [known.ids]));
  for (const one of [decoder, again.decoder]) disposeDecoder(one);
});

it('ties a head that is the embedding', async () => {
  const tensors = weightsOf(tied, true);
  const embedding = tensors.find((one) => one.name === 'model.embed_tokens.weight')!;
  const same = tensors.map((one) =>
    one.name === 'lm_head.weight' ? { ...embedding, name: one.name } : one,
  );
  const { decoder, notices } = await load(writeTinyModel(join(folder, 'same'), tied, same));
  expect(notices).toEqual([]);
  expect(decoder.weights.head).toBe(decoder.weights.embedding);
  disposeDecoder(decoder);
});

it('ends a model where its long factors begin', async () => {
  const { config } = known.variants.find(({ name }) => name === 'mistral with longrope')!;
  expect(decoderConfigFrom(config).maxPositions).toBe(32);
});
