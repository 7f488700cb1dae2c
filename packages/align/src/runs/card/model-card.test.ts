import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { methodVerbs } from '../../methods/verbs.ts';
import { rankedObjectiveNames } from '../../objectives/ranked-names.ts';
import { pairedObjectiveNames } from '../../objectives/registry.ts';
import { unpairedObjectiveNames } from '../../objectives/unpaired-registry.ts';
import { modelCard } from './model-card.ts';
import { papersOf } from './papers.ts';
import { type ResultRecord, readResultRecord, writeResultRecord } from './result-record.ts';

const stage: ResultRecord['stages'][number] = {
  keel: '0.1.0',
  verb: 'dpo',
  objectives: ['simpo'],
  lora: true,
  steps: 20,
  data: [{ name: 'a|b`c.jsonl', sha256: '1'.repeat(64) }],
  rows: 120,
  heldOut: { data: [{ name: 'held-out.jsonl', sha256: '2'.repeat(64) }], rows: 30 },
  options: { learning_rate: '0.0001' },
  headlines: [
    {
      label: 'Held-out accuracy',
      unit: 'share',
      before: { value: 0.5, interval: [0.3, 0.7] },
      after: { value: 0.9, interval: [0.8, 0.95] },
      note: '30 held-out rows',
    },
  ],
};
const record: ResultRecord = {
  version: 1,
  kind: 'adapter',
  use: 'language model',
  base: { name: 'hub:owner/tiny', repository: 'owner/tiny', sha256: 'f'.repeat(64), gguf: false },
  origin: 'owner/tiny',
  merged: false,
  stages: [stage],
};
const frontMatter = (card: string) => parse(card.split('---\n')[1]!);

describe('modelCard', () => {
  it('has the front matter that the hub reads', () => {
    expect(frontMatter(modelCard(record))).toEqual({
      base_model: 'owner/tiny',
      base_model_relation: 'adapter',
      library_name: 'peft',
      pipeline_tag: 'text-generation',
      tags: ['keel', 'dpo', 'lora'],
    });
    const local = { ...record.base, name: '/models/x', repository: null };
    const hub = {
      ...stage,
      verb: 'reward',
      lora: false,
      data: [{ ...stage.data[0]!, name: 'hub:a/b' }],
    };
    const found = frontMatter(
      modelCard({ ...record, kind: 'model', use: 'reward model', base: local, stages: [hub] }),
    );
    expect(found).toEqual({
      library_name: 'transformers',
      pipeline_tag: 'text-classification',
      tags: ['keel', 'reward', 'reward-model'],
      datasets: ['a/b'],
    });
  });

  it('has base, data, method, paper, options, metrics with intervals and lineage', () => {
    const sft = { ...stage, verb: 'sft', objectives: [], heldOut: null, headlines: [] };
    const card = modelCard({ ...record, stages: [sft, stage] });
    for (const part of [
      ...['huggingface.co/owner/tiny', 'ffffffffffffffff', '2222222222222222', '120', '`simpo`'],
      ...['arxiv.org/abs/2405.14734', '| `learning_rate` | `0.0001` |'],
      ...['50% (30% to 70%) | 90% (80% to 95%)', '30 held-out rows'],
      '`tiny` → `keel sft` (LoRA) → `keel dpo` (LoRA)',
      ...['AutoPeftModelForCausalLM', 'npx keel chat --adapter'],
    ]) {
      expect(card).toContain(part);
    }
  });

  it('writes names of files as code, whatever they contain', () => {
    expect(modelCard(record)).toContain('`` a\\|b`c.jsonl ``');
  });

  it('names the command that writes the base of an adapter on a GGUF file', () => {
    const command = 'keel merge --adapter path/to/this/folder --base-only';
    expect(modelCard({ ...record, base: { ...record.base, gguf: true } })).toContain(command);
    expect(modelCard(record)).not.toContain(command);
  });
});

describe('papersOf', () => {
  it('knows every verb but sft, every objective, and only papers that docs/papers.md lists', () => {
    const objectives = [
      ...pairedObjectiveNames,
      ...rankedObjectiveNames,
      ...unpairedObjectiveNames,
    ];
    const own = ['dpo', 'kto', 'sft'];
    const verbs = methodVerbs.map(({ name }) => name).filter((name) => !own.includes(name));
    const found = [
      ...objectives.map((name) => papersOf({ verb: 'dpo', objectives: [name], lora: false })),
      ...verbs.map((verb) => papersOf({ verb, objectives: [], lora: false })),
    ];
    expect(found.map(({ length }) => length)).toEqual(found.map(() => 1));
    const listed = readFileSync(new URL('../../../../../docs/papers.md', import.meta.url), 'utf8');
    for (const { arxiv, by } of found.flat()) expect(listed).toContain(arxiv ?? by);
  });
});

describe('a result record', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'keel-record-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('reads back, and counts as absent if it is damaged', () => {
    expect(readResultRecord(folder)).toBeNull();
    writeResultRecord(folder, record);
    expect(readResultRecord(folder)).toEqual(record);
    writeFileSync(join(folder, 'keel.json'), '{"version": 1');
    expect(readResultRecord(folder)).toBeNull();
  });
});
