// Saved models as transformers loads them. Runs if KEEL_TRANSFORMERS_PYTHON names a Python with it.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noGrad, randnLike, tidy } from '@keel/torch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addLora } from '../adapters/lora.ts';
import { mergeAdapter } from '../adapters/merge.ts';
import { saveAdapter } from '../adapters/save-adapter.ts';
import { cachedDefaultModel } from '../formats/default-model.ts';
import { openGguf } from '../formats/gguf.ts';
import { tokenizerFromGguf } from '../tokenizer/tokenizer-from-gguf.ts';
import { greedyTokens, largestDifference, logitValues } from './fixtures/forward.ts';
import { tinyConfigs, writeTinyModel } from './fixtures/tiny-models.ts';
import { loadDecoder } from './load-decoder.ts';
import { disposeDecoder } from './named-weights.ts';
import { saveModel } from './save-model.ts';

const python = process.env.KEEL_TRANSFORMERS_PYTHON;
if (!python) {
  console.warn(
    'transformers.test.ts is skipped: KEEL_TRANSFORMERS_PYTHON does not name a Python with transformers',
  );
}

// argv: model folder, adapter folder or "-", ids as JSON, number of tokens to generate, text to
// tokenise
const script = `
import json, sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
folder, adapter, ids, count, text = sys.argv[1:6]
model, report = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True, dtype=torch.float32, attn_implementation="eager")
assert not report["missing_keys"] and not report["unexpected_keys"] and not report["mismatched_keys"], report
if adapter != "-":
    from peft import PeftModel
    model = PeftModel.from_pretrained(model, adapter)
ids = torch.tensor([json.loads(ids)])
with torch.no_grad():
    logits = model(ids).logits[0].flatten().tolist()
    for _ in range(int(count)):
        ids = torch.cat([ids, model(ids).logits[:, -1].argmax(-1, keepdim=True)], 1)
tokens = AutoTokenizer.from_pretrained(folder)(text, add_special_tokens=False).input_ids if text else []
print(json.dumps({"logits": logits, "ids": ids[0].tolist(), "tokens": tokens}))
`;

function transformers(
  folder: string,
  ids: readonly number[],
  count: number,
  { adapter = '-', text = '' } = {},
) {
  const args = ['-c', script, folder, adapter, JSON.stringify(ids), String(count), text];
  const output = execFileSync(python!, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, HF_HUB_OFFLINE: '1' },
  });
  return JSON.parse(output) as { logits: number[]; ids: number[]; tokens: number[] };
}

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-transformers-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An adapter whose B is not zero. */
function addRandomAdapter(
  decoder: Awaited<ReturnType<typeof loadDecoder>>['decoder'],
  targets: string[] | 'all-linear',
) {
  const parameters = addLora(decoder, 'policy', { rank: 4, alpha: 8, targets, seed: 7 });
  tidy(() =>
    noGrad(() => {
      for (const [key, tensor] of parameters) {
        if (key.includes('lora_B')) tensor.copy_(randnLike(tensor).mul(0.05));
      }
    }),
  );
}

// A Python with torch starts slowly.
describe.skipIf(!python)('transformers', { timeout: 600_000 }, () => {
  const prompt = [5, 6, 7, 8, 9, 10, 11, 12, 13, 3];

  it.each(
    Object.keys(tinyConfigs),
  )('loads a merged %s and its adapter, with equal logits', async (name) => {
    const from = writeTinyModel(join(folder, name), tinyConfigs[name]!);
    const { decoder, configJson } = await loadDecoder(from, { computeType: 'float32' });
    // So that transformers reads files that Keel itself wrote.
    saveModel(from, decoder, configJson, null, { dtype: 'F32' });
    addRandomAdapter(decoder, 'all-linear');
    const adapter = join(folder, `${name}-adapter`);
    saveAdapter(adapter, decoder, 'policy', { baseModel: from });
    const adapted = logitValues(decoder, [prompt], 'policy');
    const byPeft = transformers(from, prompt, 0, { adapter });
    expect(largestDifference(adapted, byPeft.logits)).toBeLessThan(1e-4);
    expect(largestDifference(adapted, logitValues(decoder, [prompt]))).toBeGreaterThan(1e-2);

    mergeAdapter(decoder, 'policy');
    const merged = join(folder, `${name}-merged`);
    saveModel(merged, decoder, configJson, null, { dtype: 'F32' });
    const byTransformers = transformers(merged, prompt, 8);
    expect(largestDifference(logitValues(decoder, [prompt]), byTransformers.logits)).toBeLessThan(
      1e-4,
    );
    expect(greedyTokens(decoder, prompt, 8)).toEqual(byTransformers.ids);
    disposeDecoder(decoder);
  });

  it.skipIf(!cachedDefaultModel())(
    'loads a merged SmolLM2 with equal logits, greedy tokens and token ids',
    async () => {
      const gguf = cachedDefaultModel()!;
      const { decoder, configJson } = await loadDecoder(gguf, { computeType: 'float32' });
      using file = openGguf(gguf);
      const tokenizer = tokenizerFromGguf(file.metadata);
      addRandomAdapter(decoder, ['q_proj', 'v_proj', 'down_proj']);
      mergeAdapter(decoder, 'policy');
      const merged = join(folder, 'smollm2');
      saveModel(merged, decoder, configJson, tokenizer, { dtype: 'F32' });
      const text = tokenizer.chatTemplate!.render(
        [{ role: 'user', content: 'Name three rivers of Spain.' }],
        {
          addGenerationPrompt: true,
        },
      );
      const ids = tokenizer.encode(text);
      const found = transformers(merged, ids, 12, { text });
      expect(found.tokens).toEqual(ids);
      expect(largestDifference(logitValues(decoder, [ids]), found.logits)).toBeLessThan(2e-3);
      expect(greedyTokens(decoder, ids, 12)).toEqual(found.ids);
      disposeDecoder(decoder);
    },
  );
});
