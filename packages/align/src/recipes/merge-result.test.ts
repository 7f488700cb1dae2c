import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addLora, loadModel, mergeAdapter, namedWeights, saveAdapter } from '@keel/model';
import { manualSeed, noGrad, randn } from '@keel/torch';
import { goldenPath } from '@keel/torch/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { mergeResult } from './merge-result.ts';
import { finalFolder, mergedFolder } from './recipe.ts';

const output = mkdtempSync(join(tmpdir(), 'keel-merge-'));
afterAll(() => rmSync(output, { recursive: true }));
const tinyChat = goldenPath('tiny-chat');
const lora = { rank: 4, alpha: 8, dropout: 0, targets: 'all-linear', seed: 1 } as const;

describe('a merged result', () => {
  test('is base plus adapter in float32, written once and again if either changes', async () => {
    const model = await loadModel(tinyChat, { precision: 'fp32', device: 'cpu' });
    manualSeed(1);
    for (const [name, parameter] of addLora(model.decoder, 'policy', lora)) {
      if (name.includes('lora_B')) noGrad(() => parameter.copy_(randn(parameter.shape)));
    }
    mkdirSync(join(output, 'sft'));
    saveAdapter(finalFolder(output, 'sft'), model.decoder, 'policy', { baseModel: tinyChat });
    const from = { base: tinyChat, baseSha256: 'b', adapterSha256: 'a' };
    expect(await mergeResult(output, 'sft', from)).toBe(true);
    expect(await mergeResult(output, 'sft', from)).toBe(false);
    expect(await mergeResult(output, 'sft', { ...from, adapterSha256: 'c' })).toBe(true);

    mergeAdapter(model.decoder, 'policy');
    const merged = await loadModel(mergedFolder(output, 'sft'), { precision: 'fp32' });
    const found = namedWeights(merged.decoder);
    const expected = namedWeights(model.decoder);
    expect([...found.keys()]).toEqual([...expected.keys()]);
    for (const [name, weight] of expected) {
      expect(found.get(name)!.toTypedArray(), name).toEqual(weight.toTypedArray());
    }
    const base = await loadModel(tinyChat, { precision: 'fp32' });
    const changed = [...namedWeights(base.decoder)].filter(
      ([name, weight]) => !weight.eq(found.get(name)!).all(),
    );
    expect(changed.length).toBeGreaterThan(0);
    for (const one of [model, merged, base]) one.dispose();
  });
});
