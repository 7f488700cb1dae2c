import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ops, tidy } from '@keel/torch';
import { afterAll, describe, expect, it } from 'vitest';
import { resolvePrecision } from '../load-model.ts';
import { tinyConfigs, writeTinyModel } from './fixtures/tiny-models.ts';
import { loadDecoder } from './load-decoder.ts';
import { disposeDecoder, namedWeights } from './named-weights.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-precision-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('full fine-tuning', () => {
  it('starts at bfloat16 values, in float32', async () => {
    writeTinyModel(folder, tinyConfigs.llama!);
    const { decoder } = await loadDecoder(folder, { computeType: 'bfloat16', trainable: true });
    for (const [name, weight] of namedWeights(decoder)) {
      expect(weight.dtype).toBe('float32');
      expect(
        tidy(() => ops.equal(weight, weight.to('bfloat16').to('float32'))),
        name,
      ).toBe(true);
    }
    disposeDecoder(decoder);
  });

  it('computes in float32 by default', () => {
    expect(resolvePrecision('auto', 'cpu', true)).toBe('fp32');
    expect(resolvePrecision('bf16', 'cpu', true)).toBe('bf16');
    expect(resolvePrecision('auto', 'cuda')).toBe('bf16');
  });
});
