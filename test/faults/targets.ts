// The readers under test, each with a valid file.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRecipe } from '@keel/align';
import { openRows } from '@keel/align/data';
import { MetricsLog } from '@keel/align/internal';
import { readRewardSpec } from '@keel/align/rewards';
import {
  addLora,
  BatchBuilder,
  type LanguageModel,
  loadAdapter,
  loadModel,
  openSafetensors,
  saveAdapter,
  saveModel,
  Tokenizer,
  tokenizerFromFolder,
} from '@keel/model';
import {
  tinyConfigs,
  writeTinyModel,
} from '../../packages/model/src/loading/fixtures/tiny-models.ts';
import { writeGguf } from '../../packages/model/src/loading/fixtures/write-gguf.ts';
import { tinyTokenizerJson } from '../../packages/model/src/tokenizer/testing/tiny-tokenizer.ts';

/** A reader returns the numbers that it read, so that NaN is detected. */
export type Numbers = readonly number[];

export interface Target {
  name: string;
  /** The file to damage, in the folder filled by {@link prepare}. */
  file: string;
  /** Whether to damage values of its JSON rather than its bytes. */
  json?: boolean;
  prepare(folder: string): Promise<void> | void;
  read(folder: string): Promise<Numbers | undefined> | Numbers | undefined;
}

const template =
  "{% for message in messages %}<|user|>{{ message['role'] }}: {{ message.content | trim }}<|end|>\n" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|user|>' }}{% endif %}";
const messages = [
  { role: 'user', content: ' hello 1234 ' },
  { role: 'assistant', content: 'é 🙂' },
];

function writeModel(folder: string): void {
  writeTinyModel(folder, { ...tinyConfigs.llama!, vocab_size: 280 });
  writeTokenizer(folder);
}

function writeTokenizer(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const write = (name: string, value: unknown): void =>
    writeFileSync(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));
  write('tokenizer.json', tinyTokenizerJson());
  write('tokenizer_config.json', {
    ...{ tokenizer_class: 'PreTrainedTokenizerFast', eos_token: '<|end|>', pad_token: '<|pad|>' },
    ...{ add_bos_token: false, model_max_length: 64, extra_special_tokens: ['<|user|>'] },
    added_tokens_decoder: { 0: { content: '<|end|>', special: true } },
    chat_template: [
      { name: 'default', template },
      { name: 'tool_use', template },
    ],
  });
  write('chat_template.jinja', template);
}

const score = (model: LanguageModel, role: string): Numbers =>
  model.as(role, () => {
    const builder = new BatchBuilder();
    builder.add([5, 6, 7, 8]);
    const scored = { rows: Int32Array.of(0, 1, 2), targets: Int32Array.of(6, 7, 8) };
    return model.scoreTokens(builder.build(), scored).logprobs.toArray() as number[];
  });

async function scored(path: string, adapter: string | null = null): Promise<Numbers> {
  const model = await loadModel(path, { device: 'cpu', precision: 'fp32', notice: () => {} });
  try {
    if (adapter !== null) loadAdapter(model.decoder, adapter, 'adapter');
    return score(model, adapter === null ? 'reference' : 'adapter');
  } finally {
    model.dispose();
  }
}

function encoded(folder: string): undefined {
  const tokenizer = tokenizerFromFolder(folder);
  for (const text of ['hello 1234 world', 'é🙂 <|end|>\n', '']) {
    tokenizer.decode(tokenizer.encode(text, { addSpecialTokens: true }));
  }
  tokenizer.chatTemplate?.render(messages, { addGenerationPrompt: true });
  Tokenizer.fromDefinition(tokenizer.definition());
  tokenizer.save(join(folder, 'saved'));
}

const fixtures = new URL('../../packages/align/src/data/fixtures/', import.meta.url);
const lines = [
  '{"prompt": "Why?", "chosen": "Because.", "rejected": "No.", "score_chosen": 1.5}',
  '{"prompt": [{"role": "user", "content": "é"}], "chosen": [{"role": "assistant", "content": "a"}], "rejected": [{"role": "assistant", "content": "b"}], "chat_template_kwargs": {"x": 1}}',
  '{"chosen": "The end.", "rejected": "The start.", "id": 12345678901234567890}',
];

function rows(
  name: string,
  file: string,
  content: () => string | Uint8Array,
  json = false,
): Target {
  return {
    ...{ name, file, json },
    prepare: (folder) => writeFileSync(join(folder, file), content()),
    read: async (folder) => {
      for (const onBadRow of ['skip', 'fail'] as const) {
        await using source = await openRows(join(folder, file), { kind: 'preference', onBadRow });
        for (let index = 0; index < source.length; index++) await source.read(index);
      }
      return undefined;
    },
  };
}

const yaml = (name: string, content: string, read: (path: string) => unknown): Target => ({
  ...{ name, file: 'file.yaml' },
  prepare: (folder) => writeFileSync(join(folder, 'file.yaml'), content),
  read: (folder) => {
    read(join(folder, 'file.yaml'));
    return undefined;
  },
});

const recipe = `output: runs/x
defaults:
  model: some/model
  learning_rate: 1e-5
stages:
  sft: &first
    data: [chats.jsonl]
    max_steps: 10
  dpo:
    model: sft
    data: pairs.jsonl
    beta: 0.1
`;
const spec = `rewards:
  - {type: regex, pattern: '^a+$', mode: match, weight: 0.5, clip: [-1, 1]}
  - {type: length, name: short}
  - type: code
    concurrency: 2
    limits: {wall_seconds: 4, memory_megabytes: 128}
constraints: []
`;

export const targets: readonly Target[] = [
  {
    ...{ name: 'safetensors', file: 'model.safetensors' },
    prepare: writeModel,
    read: (folder) => scored(folder),
  },
  {
    ...{ name: 'config.json', file: 'config.json', json: true },
    prepare: writeModel,
    read: (folder) => scored(folder),
  },
  {
    ...{ name: 'index.json', file: 'sharded/model.safetensors.index.json', json: true },
    prepare: async (folder) => {
      const whole = join(folder, 'whole');
      writeModel(whole);
      const model = await loadModel(whole, { device: 'cpu', precision: 'fp32' });
      const { decoder, configJson } = model;
      saveModel(join(folder, 'sharded'), decoder, configJson, null, {
        dtype: 'F32',
        shardBytes: 30_000,
      });
      model.dispose();
    },
    read: (folder) => {
      using file = openSafetensors(join(folder, 'sharded/model.safetensors.index.json'));
      for (const name of file.names()) file.read(name);
      return undefined;
    },
  },
  {
    ...{ name: 'gguf', file: 'model.gguf' },
    prepare: (folder) => {
      const whole = join(folder, 'whole');
      writeModel(whole);
      const fields = {
        ...{ block_count: 2, embedding_length: 16, feed_forward_length: 24, context_length: 64 },
        ...{ 'attention.head_count': 4, 'attention.head_count_kv': 2, vocab_size: 280 },
        ...{ 'attention.layer_norm_rms_epsilon': 1e-5, 'rope.freq_base': 10_000 },
      };
      writeGguf(join(folder, 'model.gguf'), whole, {
        ...{ architecture: 'llama', fields, floats: ['rope.freq_base'] },
      });
    },
    read: async (folder) => {
      const { loadDecoder } = await import('@keel/model');
      const loaded = await loadDecoder(join(folder, 'model.gguf'), {
        ...{ computeType: 'float32', notice: () => {} },
      });
      loaded.decoder.weights.embedding.toArray();
      return undefined;
    },
  },
  {
    ...{ name: 'tokenizer.json', file: 'tokenizer.json', json: true },
    prepare: writeTokenizer,
    read: encoded,
  },
  {
    ...{ name: 'tokenizer_config.json', file: 'tokenizer_config.json', json: true },
    prepare: writeTokenizer,
    read: encoded,
  },
  {
    ...{ name: 'chat template', file: 'chat_template.jinja' },
    prepare: writeTokenizer,
    read: encoded,
  },
  ...(['adapter_config.json', 'adapter_model.safetensors'] as const).map(
    (file): Target => ({
      ...{ name: file, file, json: file.endsWith('.json') },
      prepare: async (folder) => {
        const base = join(folder, 'base');
        writeModel(base);
        const model = await loadModel(base, { device: 'cpu', precision: 'fp32' });
        addLora(model.decoder, 'x', { rank: 2, alpha: 4, targets: ['q_proj', 'v_proj'], seed: 1 });
        saveAdapter(folder, model.decoder, 'x', { baseModel: base });
        model.dispose();
      },
      read: (folder) => scored(join(folder, 'base'), folder),
    }),
  ),
  rows('rows.jsonl', 'rows.jsonl', () => `${lines.join('\n')}\n`),
  rows('rows.json', 'rows.json', () => `[${lines.join(',\n')}]`, true),
  rows('rows.csv', 'rows.csv', () => 'prompt,chosen,rejected\n"Why?","Be ""x"", yes",No\na,b,c\n'),
  ...['chat-snappy', 'chat-zstd'].map((name) =>
    rows(`${name}.parquet`, 'rows.parquet', () =>
      readFileSync(new URL(`${name}.parquet`, fixtures)),
    ),
  ),
  yaml('recipe', recipe, readRecipe),
  yaml('reward spec', spec, readRewardSpec),
  {
    ...{ name: 'metrics.jsonl', file: 'metrics.jsonl' },
    prepare: (folder) =>
      writeFileSync(
        join(folder, 'metrics.jsonl'),
        '{"step":1,"loss":0.5}\n{"step":2,"loss":"NaN"}\n',
      ),
    read: (folder) => {
      MetricsLog.read(join(folder, 'metrics.jsonl'));
      return undefined;
    },
  },
];
