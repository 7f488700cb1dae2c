// Reward models as transformers and PEFT load them. The comparison itself runs if
// KEEL_TRANSFORMERS_PYTHON names a Python with both.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atOnce, noGrad, randnLike, tidy } from '@keel/torch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadAdapter, loadAdapterHead } from '../adapters/load-adapter.ts';
import { addLora } from '../adapters/lora.ts';
import { saveAdapter } from '../adapters/save-adapter.ts';
import { LanguageModel } from '../language-model.ts';
import { loadModel } from '../load-model.ts';
import { tinyConfigs, writeTinyModel } from '../loading/fixtures/tiny-models.ts';
import { loadDecoder } from '../loading/load-decoder.ts';
import { saveModel } from '../loading/save-model.ts';
import { BatchBuilder } from '../packed-batch.ts';
import { tinyTokenizerJson } from '../tokenizer/testing/tiny-tokenizer.ts';
import { Tokenizer } from '../tokenizer/tokenizer.ts';
import { classifierPadToken } from './classifier-config.ts';
import { newScoreHead } from './score-head.ts';

const python = process.env.KEEL_TRANSFORMERS_PYTHON;
const folder = mkdtempSync(join(tmpdir(), 'keel-classifier-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const pad = 63;
const sequences = [
  [5, 6, 7, 8, 9, 10, 2],
  [20, 3],
  [11, 12, 13, 2],
];

// argv: model folder, adapter folder or "-", pad token, labels, sequences as JSON
const script = `
import json, sys, torch
from transformers import AutoModelForSequenceClassification
folder, adapter, pad, labels, rows = sys.argv[1:6]
whole = adapter == "-"
options = {} if whole else {"num_labels": int(labels)}
model, report = AutoModelForSequenceClassification.from_pretrained(folder, output_loading_info=True, dtype=torch.float32, attn_implementation="eager", **options)
if whole:
    assert not report["missing_keys"] and not report["unexpected_keys"] and not report["mismatched_keys"], report
    assert model.config.pad_token_id == int(pad) and model.config.num_labels == int(labels), model.config
else:
    model.config.pad_token_id = int(pad)
    from peft import PeftModel
    model = PeftModel.from_pretrained(model, adapter)
    if len(sys.argv) > 6:
        model.save_pretrained(sys.argv[6])
model.eval()
rows = json.loads(rows)
longest = max(map(len, rows))
ids = torch.tensor([row + [int(pad)] * (longest - len(row)) for row in rows])
mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
with torch.no_grad():
    print(json.dumps(model(ids, attention_mask=mask).logits.tolist()))
`;

function transformers(base: string, labels: number, adapter = '-', saved?: string): number[][] {
  const args = [
    '-c',
    script,
    base,
    adapter,
    String(pad),
    String(labels),
    JSON.stringify(sequences),
  ];
  const output = execFileSync(python!, saved ? [...args, saved] : args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, HF_HUB_OFFLINE: '1' },
  });
  return JSON.parse(output.trim().split('\n').at(-1)!) as number[][];
}

const tokenizer = new Tokenizer({ source: 'tiny', json: tinyTokenizerJson(), config: {} });
async function load(path: string): Promise<LanguageModel> {
  const { decoder, configJson, scoreHead, weightHash } = await loadDecoder(path, {
    computeType: 'float32',
  });
  const parts = { decoder, tokenizer, device: 'cpu' as const, configJson, name: path };
  const model = new LanguageModel({ ...parts, hash: weightHash });
  if (scoreHead !== null) model.addScoreHead('reference', scoreHead);
  return model;
}

function scores(model: LanguageModel, role = 'reference'): number[][] {
  const builder = new BatchBuilder();
  const ends = sequences.map((tokens) => {
    builder.add(tokens);
    return builder.size - 1;
  });
  return tidy(() =>
    noGrad(() => {
      const steps = model.readHeadSteps(builder.build(), Int32Array.from(ends));
      const { scores } = atOnce(model.asSteps(role, steps));
      const flat = scores.reshape(-1).toArray() as number[];
      const heads = scores.dim(1);
      return ends.map((_, row) => flat.slice(row * heads, (row + 1) * heads));
    }),
  );
}

function expectClose(found: number[][], expected: number[][], within = 1e-5): void {
  expect(found).toHaveLength(expected.length);
  found.forEach((row, at) => {
    expect(row).toHaveLength(expected[at]!.length);
    row.forEach((value, head) => {
      expect(Math.abs(value - expected[at]![head]!)).toBeLessThan(within);
    });
  });
}

const withHead = async (name: string, heads: number) => {
  const base = join(folder, name);
  const model = await load(base);
  const weight = newScoreHead(model.decoder, { heads, seed: 5, deviation: 0.5 });
  return { base, model, weight };
};

beforeAll(() => {
  for (const [name, config] of Object.entries(tinyConfigs))
    writeTinyModel(join(folder, name), config);
});

describe('a reward model that was saved whole', () => {
  it.each(Object.keys(tinyConfigs))('is restored with the same scores: %s', async (name) => {
    const { model, weight } = await withHead(name, 2);
    model.addScoreHead('reference', weight);
    const expected = scores(model);
    const path = join(folder, `${name}-reward`);
    const scoreHead = { weight, padTokenId: pad };
    saveModel(path, model.decoder, model.configJson, null, { dtype: 'F32', scoreHead });
    model.dispose();
    const config = JSON.parse(readFileSync(join(path, 'config.json'), 'utf8'));
    expect(config.architectures[0]).toMatch(/ForSequenceClassification$/);
    expect(config).toMatchObject({ id2label: { 0: 'LABEL_0', 1: 'LABEL_1' }, pad_token_id: pad });
    const again = await load(path);
    expect(scores(again)).toEqual(expected);
    again.dispose();
  });
});

describe('a reward adapter', () => {
  async function adapted(heads: number) {
    const { base, model, weight } = await withHead('llama', heads);
    const lora = { rank: 4, alpha: 8, targets: 'all-linear' as const, seed: 7 };
    const parameters = addLora(model.decoder, 'reward', lora);
    tidy(() =>
      noGrad(() => {
        for (const tensor of parameters.values()) tensor.copy_(randnLike(tensor).mul(0.1));
      }),
    );
    model.addScoreHead('reward', weight);
    const path = join(folder, `adapter-${heads}`);
    saveAdapter(path, model.decoder, 'reward', { baseModel: base, scoreHead: weight });
    return { base, path, model };
  }

  it('is restored with its head and the same scores', async () => {
    const { base, path, model } = await adapted(2);
    const expected = scores(model, 'reward');
    model.dispose();
    const config = JSON.parse(readFileSync(join(path, 'adapter_config.json'), 'utf8'));
    expect(config).toMatchObject({
      task_type: 'SEQ_CLS',
      modules_to_save: ['classifier', 'score'],
    });
    const again = await load(base);
    loadAdapter(again.decoder, path, 'r', { leaveHead: true });
    again.addScoreHead('r', loadAdapterHead(again.decoder, path, { device: 'cpu' })!);
    expect(scores(again, 'r')).toEqual(expected);
    again.dispose();
  });

  it('is refused for generating text, and by a model of another width', async () => {
    const { path, model } = await adapted(1);
    expect(() => loadAdapter(model.decoder, path, 'chat')).toThrow(
      /reward model.*--reward.*keel score/,
    );
    const wide = { config: { ...model.decoder.config, hiddenSize: 32 } };
    expect(() => loadAdapterHead(wide, path, { device: 'cpu' })).toThrow(
      /score\.weight.*has shape \[1, 16\], expected \[1, 32\]/,
    );
    model.dispose();
  });

  it.skipIf(!python)(
    'is loaded by PEFT onto a classifier, and loads again after PEFT saves it',
    { timeout: 600_000 },
    async () => {
      const { base, path, model } = await adapted(1);
      const own = scores(model, 'reward');
      model.dispose();
      const saved = join(folder, 'adapter-by-peft');
      expectClose(own, transformers(base, 1, path, saved));
      const again = await load(base);
      loadAdapter(again.decoder, saved, 'r', { leaveHead: true });
      again.addScoreHead('r', loadAdapterHead(again.decoder, saved, { device: 'cpu' })!);
      expectClose(scores(again, 'r'), own);
      again.dispose();
    },
  );
});

describe.skipIf(!python)('transformers', { timeout: 600_000 }, () => {
  it.each(
    Object.keys(tinyConfigs),
  )('loads a whole reward model, with equal scores: %s', async (name) => {
    const { model, weight } = await withHead(name, 1);
    model.addScoreHead('reference', weight);
    const path = join(folder, `${name}-for-transformers`);
    const scoreHead = { weight, padTokenId: pad };
    saveModel(path, model.decoder, model.configJson, null, { dtype: 'F32', scoreHead });
    expectClose(scores(model), transformers(path, 1));
    model.dispose();
  });
});

describe('classifierPadToken', () => {
  const withTokens = (config: Record<string, string>): Tokenizer =>
    new Tokenizer({ source: 'tiny', json: tinyTokenizerJson(), config });
  it('is the pad token if that ends nothing, else another special token', () => {
    const own = withTokens({ eos_token: '<|end|>', pad_token: '<|pad|>' });
    expect(classifierPadToken(own)).toBe(own.padTokenId);
    const same = withTokens({ eos_token: '<|end|>', pad_token: '<|end|>' });
    const chosen = classifierPadToken(same);
    expect(chosen).not.toBeNull();
    expect(chosen).not.toBe(same.eosTokenId);
    expect(same.specialTokenIds.has(chosen!)).toBe(true);
  });
});

it('a classifier loads for scores, and is refused for generating text', async () => {
  const { model, weight } = await withHead('llama', 1);
  const path = join(folder, 'with-tokenizer');
  const scoreHead = { weight, padTokenId: pad };
  saveModel(path, model.decoder, model.configJson, tokenizer, { dtype: 'F32', scoreHead });
  weight.dispose();
  model.dispose();
  const usual = { precision: 'fp32', device: 'cpu' } as const;
  await expect(loadModel(path, usual)).rejects.toThrow(/reward model.*--reward.*keel score/);
  const loaded = await loadModel(path, { ...usual, classifier: true });
  expect(loaded.hasScoreHead('reference')).toBe(true);
  loaded.dispose();
});
