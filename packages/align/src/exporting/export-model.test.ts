import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadModel } from '@keel/model';
import { noGrad, tidy } from '@keel/torch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTinyAdapter } from '../testing/tiny-adapter.ts';
import { writeTinyChatModel } from '../testing/tiny-chat-model.ts';
import { compareEvidence, evidenceOf } from './evidence.ts';
import { exportModel } from './export-model.ts';
import type { ExportEvent, ExportOptions } from './export-options.ts';
import { demand } from './limits.ts';

let folder = '';
let base = '';
let adapter = '';
const inside = (...parts: string[]): string => join(folder, ...parts);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keel-export-'));
  base = writeTinyChatModel(inside('base'));
  writeFileSync(inside('base', 'README.md'), '---\nlicense: apache-2.0\n---\n# Tiny\n');
  adapter = await writeTinyAdapter(inside('adapter'), base);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const options = (output: string, more: Partial<ExportOptions>): ExportOptions => ({
  ...{ model: base, adapter, to: 'gguf', type: 'auto', output: inside(output) },
  ...more,
});
const leftovers = (): string[] => readdirSync(folder).filter((name) => name.startsWith('.'));

describe('exportModel', () => {
  it.each<[Partial<ExportOptions>, string, string[]]>([
    [{ to: 'gguf', type: 'f32' }, 'f32', ['Modelfile', 'README.md', 'keel.json']],
    [{ to: 'gguf' }, 'f16', ['Modelfile']],
    [{ to: 'adapter-gguf' }, 'f32', ['README.md', 'keel.json']],
    [{ to: 'peft' }, 'f32', ['adapter_config.json', 'tokenizer.json']],
    [{ to: 'safetensors', type: 'bf16' }, 'bf16', ['config.json', 'generation_config.json']],
  ])('%j computes what base and adapter compute', async (more, dtype, files) => {
    const events: ExportEvent['type'][] = [];
    const asked = options(`${more.to}-${dtype}`, more);
    const result = await exportModel(asked, ({ type }) => events.push(type));
    expect(result).toMatchObject({ dtype, kind: 'language model', output: asked.output });
    const { texts, kl, greedy } = result.checks;
    expect(texts).toEqual({ same: 100, of: 100 });
    expect(kl).toBeLessThan({ f32: 1e-6, f16: 1e-4, bf16: 1e-2 }[dtype]!);
    if (dtype === 'f32') expect(greedy).toEqual({ same: 64, of: 64, margin: null });
    expect(existsSync(result.file)).toBe(true);
    expect(readdirSync(asked.output)).toEqual(expect.arrayContaining(files));
    expect(events).toEqual(expect.arrayContaining(['loading', 'recording', 'checking']));
    expect(leftovers()).toEqual([]);
  });

  it('merges the adapter, and says so in what it writes', async () => {
    const { output } = await exportModel(options('merged', { type: 'f32' }));
    const card = readFileSync(join(output, 'README.md'), 'utf8');
    expect(card).toContain('the same token ids for 100 of 100 texts');
    expect(card).not.toContain(folder);
    const found = await loadModel(join(output, 'merged-f32.gguf'), { precision: 'fp32' });
    const original = await loadModel(base, { precision: 'fp32' });
    const checks = await compareEvidence(
      await evidenceOf(original, 'reference'),
      found,
      'reference',
    );
    expect(checks.kl).toBeGreaterThan(1e-3);
    for (const model of [found, original]) model.dispose();
  });

  it('writes the Modelfile with the template and where to stop', async () => {
    const { output, modelfile } = await exportModel(options('ollama', { type: 'q8_0' }));
    expect(modelfile).toEqual({ template: true });
    const text = readFileSync(join(output, 'Modelfile'), 'utf8');
    expect(text).toMatch(/^FROM \.\/ollama-q8_0\.gguf\nTEMPLATE """/);
    expect(text).toContain('{{ "<|user|>user\\n" }}{{ $m.Content }}{{ "<|end|>\\n" }}');
    expect(text).toContain('PARAMETER stop "<|end|>"\n');
  });

  it('writes the base of an adapter that was trained on a GGUF file', async () => {
    const { file } = await exportModel(options('quantised', { adapter: null, type: 'q8_0' }));
    const own = await writeTinyAdapter(inside('on-quantised'), file);
    const asked = options('for-peft', { model: file, adapter: own, to: 'peft' });
    const { checks } = await exportModel(asked);
    expect(checks.kl).toBeLessThan(1e-6);
    const config = JSON.parse(readFileSync(join(asked.output, 'adapter_config.json'), 'utf8'));
    expect(config.base_model_name_or_path).toBe(join(asked.output, 'base'));
    expect(existsSync(join(asked.output, 'base', 'model.safetensors'))).toBe(true);
    const adapterOnly = options('for-llama', { model: file, adapter: own, to: 'adapter-gguf' });
    await exportModel(adapterOnly);
    const modelfile = readFileSync(join(adapterOnly.output, 'Modelfile'), 'utf8');
    expect(modelfile).toContain(`FROM ${file}\nADAPTER ./for-llama-f32.gguf\n`);
  });

  it("exports a reward model's adapter to PEFT, and refuses it as GGUF", async () => {
    const reward = await writeTinyAdapter(inside('reward'), base, { head: true });
    const result = await exportModel(options('scores', { adapter: reward, to: 'peft' }));
    expect(result).toMatchObject({ kind: 'reward model', checks: { kl: null, greedy: null } });
    expect(result.checks.score).toBeLessThan(1e-4);
    const refused = exportModel(options('refused', { adapter: reward }));
    await expect(refused).rejects.toThrow(/reward model.*--to peft/);
    expect(existsSync(inside('refused'))).toBe(false);
  });

  it('keeps what is there if it fails', async () => {
    const large = await loadModel(base, { precision: 'fp32', trainable: true });
    const huge = inside('huge');
    tidy(() => noGrad(() => void large.decoder.weights.embedding.select(0, 5).fill_(1e5)));
    const { saveModel } = await import('@keel/model');
    saveModel(huge, large.decoder, large.configJson, large.tokenizer, { dtype: 'F32' });
    large.dispose();
    mkdirSync(inside('kept'));
    writeFileSync(inside('kept', 'config.json'), '{}');
    const asked = options('kept', { model: huge, adapter: null, overwrite: true });
    await expect(exportModel(asked)).rejects.toThrow(/100000.*F16/);
    expect(readFileSync(inside('kept', 'config.json'), 'utf8')).toBe('{}');
    expect(leftovers()).toEqual([]);
  });

  it('refuses what cannot be, before it loads anything', async () => {
    await expect(exportModel(options('x', { adapter: null, to: 'peft' }))).rejects.toThrow(
      /--adapter/,
    );
    mkdirSync(inside('notes'));
    writeFileSync(inside('notes', 'todo.md'), 'x');
    const taken = exportModel(options('notes', { overwrite: true }));
    await expect(taken).rejects.toThrow(/todo\.md/);
    const quantised = exportModel(options('y', { to: 'safetensors', type: 'q4_0' }));
    await expect(quantised).rejects.toThrow(/q4_0.*f32, f16, bf16/);
  });
});

describe('demand', () => {
  const fine = {
    texts: { same: 100, of: 100 },
    kl: 1e-7,
    sameTop: { count: 9, of: 9 },
    score: null,
    greedy: { same: 64, of: 64, margin: null },
  };
  it('accepts equality, and a tie that rounding turns around', () => {
    demand(fine, 'f32', 1);
    demand({ ...fine, greedy: { same: 3, of: 64, margin: 0.01 } }, 'f16', 1);
    demand({ ...fine, greedy: { same: 3, of: 64, margin: 2 } }, 'q4_0', 1);
  });

  it.each<[string, Partial<typeof fine> | object, RegExp]>([
    ['other token ids', { texts: { same: 99, of: 100 } }, /1 of 100 texts/],
    ['a divergence', { kl: 0.01 }, /KL divergence/],
    ['a damaged file', { kl: Number.NaN }, /KL divergence/],
    ['another greedy text', { greedy: { same: 3, of: 64, margin: 0.5 } }, /after 3 tokens/],
    ['other scores', { kl: null, score: 0.5 }, /scores differ/],
  ])('refuses %s', (_, change, message) => {
    expect(() => demand({ ...fine, ...change }, 'f32', 1)).toThrow(message);
  });
});
