import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memory, tidy, withSeed } from '@keel/torch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Decoder } from '../decoder.ts';
import { logitValues } from '../loading/fixtures/forward.ts';
import { tinyConfigs, writeTinyModel } from '../loading/fixtures/tiny-models.ts';
import { loadDecoder } from '../loading/load-decoder.ts';
import { disposeDecoder } from '../loading/named-weights.ts';
import { copyAdapter, mixAdapter } from './copy-adapter.ts';
import { adapterParameters, addLora, removeAdapter } from './lora.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-copy-adapter-'));
const sequences = [[5, 6, 7, 8]];
const options = { rank: 3, alpha: 6, dropout: 0.3, targets: ['q_proj', 'down_proj'], seed: 3 };
let decoder: Decoder;
beforeAll(async () => {
  writeTinyModel(folder, tinyConfigs.llama!);
  decoder = (await loadDecoder(folder, { computeType: 'float32' })).decoder;
});
afterAll(() => {
  disposeDecoder(decoder);
  rmSync(folder, { recursive: true, force: true });
});

const valuesOf = (name: string): number[] =>
  [...adapterParameters(decoder, name).values()].flatMap((one) =>
    tidy(() => one.detach().reshape(-1).toArray() as number[]),
  );
const fill = (name: string): void => {
  withSeed(1, () => {
    for (const one of adapterParameters(decoder, name).values())
      tidy(() => void one.detach().normal_(0, 0.1));
  });
};

describe('copyAdapter and mixAdapter', () => {
  it("copies the adapter's result, and does not change with it", () => {
    addLora(decoder, 'policy', options);
    fill('policy');
    const before = memory().tensors;
    const copied = copyAdapter(decoder, 'policy', 'copy');
    expect(memory().tensors).toBe(before + copied.size);
    for (const one of copied.values()) expect(one.requiresGrad).toBe(false);
    const logits = logitValues(decoder, sequences, 'policy');
    expect(logitValues(decoder, sequences, 'copy')).toEqual(logits);
    fill('policy');
    expect(logitValues(decoder, sequences, 'copy')).toEqual(logits);
    const [policy, copy] = [valuesOf('policy'), valuesOf('copy')];
    mixAdapter(decoder, 'policy', 'copy', 0.25);
    valuesOf('copy').forEach((one, at) => {
      expect(one).toBeCloseTo(0.25 * policy[at]! + 0.75 * copy[at]!, 6);
    });
    mixAdapter(decoder, 'policy', 'copy', 1);
    expect(valuesOf('copy')).toEqual(policy);
    expect(adapterParameters(decoder, 'policy').values().next().value!.requiresGrad).toBe(true);
    expect(memory().tensors).toBe(before + copied.size);
  });

  it('refuses what does not fit', () => {
    expect(() => copyAdapter(decoder, 'nobody', 'other')).toThrow(/no adapter "nobody"/);
    expect(() => copyAdapter(decoder, 'policy', 'copy')).toThrow(/adapter.*"copy"/);
    expect(() => mixAdapter(decoder, 'policy', 'copy', 0)).toThrow(/share.* 0,/);
    addLora(decoder, 'small', { ...options, targets: ['q_proj'] });
    expect(() => mixAdapter(decoder, 'small', 'copy', 1)).toThrow(/"small" and "copy".*layers/);
    for (const name of ['small', 'copy', 'policy']) removeAdapter(decoder, name);
  });
});
