// A model's sizes as the metadata that llama.cpp reads, for the families that it computes in the
// same way (its conversion/*.py and src/models/*.cpp).
import type { DecoderConfig } from '../decoder-config.ts';
import type { GgufValue } from '../formats/gguf-writer.ts';
import { ExportError } from './export-error.ts';
import { ggufRotary } from './gguf-rotary.ts';

type Json = Readonly<Record<string, unknown>>;

export interface GgufArchitecture {
  /** `general.architecture`. */
  name: string;
  /** Metadata with the architecture's prefix. */
  fields: [string, GgufValue][];
  /** Vectors that the weights do not include, by name. */
  tensors: [string, readonly number[]][];
  /** Where llama.cpp computes something else. */
  notices: string[];
}

interface Family {
  architecture: string;
  /** Checks what the architecture fixes, and adds fields of its own. */
  own(config: DecoderConfig, refuse: Refuse): [string, GgufValue][];
  activation: DecoderConfig['activation'];
  /** llama.cpp ignores sliding windows in this architecture. */
  ignoresWindow?: boolean;
}

type Refuse = (what: string) => never;

const count = (value: number): GgufValue => ({ type: 'uint32', value });
const float = (value: number): GgufValue => ({ type: 'float32', value });

const families: Record<string, Family | undefined> = {
  llama: { architecture: 'llama', activation: 'silu', own: llama },
  mistral: { architecture: 'llama', activation: 'silu', own: llama, ignoresWindow: true },
  qwen2: { architecture: 'qwen2', activation: 'silu', own: qwen },
  qwen3: { architecture: 'qwen3', activation: 'silu', own: qwen },
  gemma2: { architecture: 'gemma2', activation: 'gelu_tanh', own: gemma },
  gemma3_text: { architecture: 'gemma3', activation: 'gelu_tanh', own: gemma },
  smollm3: { architecture: 'smollm3', activation: 'silu', own: smollm3 },
  phi3: { architecture: 'phi3', activation: 'silu', own: phi3, ignoresWindow: true },
  gpt2: { architecture: 'gpt2', activation: 'gelu_tanh', own: gpt2 },
};

/** Families that can be exported, by config.json's model_type. */
export const ggufFamilies = Object.keys(families);

/** @throws ExportError naming the family or the field that llama.cpp does not have */
export function ggufArchitecture(config: DecoderConfig, json: Json): GgufArchitecture {
  const family = Object.hasOwn(families, config.family) ? families[config.family] : undefined;
  if (family === undefined) {
    throw new ExportError(
      `Keel exports no GGUF of the family "${config.family}"; it exports ${ggufFamilies.join(', ')}`,
    );
  }
  const { architecture } = family;
  const refuse: Refuse = (what) => {
    throw new ExportError(
      `${what}, but llama.cpp's architecture ${architecture} does not. Use --to safetensors`,
    );
  };
  if (config.activation !== family.activation) refuse(`the model uses ${config.activation}`);
  const notices: string[] = [];
  const window = config.layers.find((layer) => layer.window !== null)?.window ?? null;
  if (window !== null && family.ignoresWindow === true) {
    notices.push(
      `llama.cpp has no sliding window in this architecture: beyond ${window} tokens, it computes something else than the model`,
    );
  }
  const rotary = config.family === 'gpt2' ? { fields: [], tensors: [] } : ggufRotary(config, json);
  const fields = [...sizes(config, json), ...family.own(config, refuse), ...rotary.fields];
  return {
    name: architecture,
    fields: fields.map(([name, value]) => [`${architecture}.${name}`, value]),
    tensors: rotary.tensors,
    notices,
  };
}

function sizes(config: DecoderConfig, json: Json): [string, GgufValue][] {
  const { norm, heads } = config;
  const positions = json.max_position_embeddings ?? json.n_positions ?? config.maxPositions;
  return [
    ['context_length', count(Number(positions))],
    ['embedding_length', count(config.hiddenSize)],
    ['block_count', count(config.layers.length)],
    ['feed_forward_length', count(config.intermediateSize)],
    ['attention.head_count', count(heads)],
    ...(config.family === 'gpt2'
      ? []
      : ([['attention.head_count_kv', count(config.keyValueHeads)]] satisfies [
          string,
          GgufValue,
        ][])),
    [`attention.layer_norm_${norm.kind === 'rms' ? 'rms_' : ''}epsilon`, float(norm.epsilon)],
    ...(config.family === 'gpt2' || config.family === 'phi3' ? [] : keyLength(config)),
  ];
}

const keyLength = ({ headSize }: DecoderConfig): [string, GgufValue][] => [
  ['attention.key_length', count(headSize)],
  ['attention.value_length', count(headSize)],
];

const usualScale = ({ attentionScale, headSize }: DecoderConfig): boolean =>
  Math.abs(attentionScale * Math.sqrt(headSize) - 1) < 1e-6;

function refuseWindows({ layers }: DecoderConfig, refuse: Refuse): void {
  if (layers.some(({ window }) => window !== null)) refuse('some layers have a sliding window');
}

function llama(config: DecoderConfig, refuse: Refuse): [string, GgufValue][] {
  if (config.family === 'llama') refuseWindows(config, refuse);
  const window = config.layers[0]?.window ?? null;
  return [
    ['vocab_size', count(config.vocabularySize)],
    ['rope.dimension_count', count(config.headSize)],
    ...(window === null
      ? []
      : ([['attention.sliding_window', count(window)]] satisfies [string, GgufValue][])),
  ];
}

function qwen(config: DecoderConfig, refuse: Refuse): [string, GgufValue][] {
  refuseWindows(config, refuse);
  if (config.family === 'qwen3' && config.biases.queryKeyValue) {
    refuse('the model has attention_bias');
  }
  if (config.family === 'qwen2' && config.headSize * config.heads !== config.hiddenSize) {
    refuse('the model has heads of another size than hidden_size / num_attention_heads');
  }
  return [];
}

function smollm3(config: DecoderConfig, refuse: Refuse): [string, GgufValue][] {
  refuseWindows(config, refuse);
  const { queryKeyValue, attentionOutput, mlp } = config.biases;
  if (queryKeyValue || attentionOutput || mlp) refuse('the model has biases');
  if (config.layers.some(({ rotary }, layer) => (rotary === null) !== ((layer + 1) % 4 === 0))) {
    refuse('the model omits position embeddings in other layers than every fourth');
  }
  return [['rope.dimension_count', count(config.headSize)]];
}

// The number of layers of the 27B models, which alone scale scores by hidden_size / heads.
const largestGemma: Record<string, number> = { gemma2: 46, gemma3_text: 62 };

function gemma(config: DecoderConfig, refuse: Refuse): [string, GgufValue][] {
  const { layers, hiddenSize, heads, family } = config;
  const isLargest = layers.length === largestGemma[family];
  const size = isLargest ? Math.floor(hiddenSize / heads) : config.headSize;
  if (Math.abs(config.attentionScale * Math.sqrt(size) - 1) > 1e-6) {
    refuse(`the model has query_pre_attn_scalar ${config.attentionScale ** -2}`);
  }
  if (config.biases.queryKeyValue) refuse('the model has attention_bias');
  if (!config.tieEmbeddings) refuse('the model has an output head of its own');
  if (family === 'gemma2' && (config.attentionSoftcap === null || config.logitSoftcap === null)) {
    refuse('the model has a softcapping of null');
  }
  const window = layers.find((layer) => layer.window !== null)?.window ?? null;
  if (window === null) return refuse('the model has no layer with a sliding window');
  const full = layers.findIndex((layer) => layer.window === null);
  const pattern = full < 0 ? layers.length + 1 : full + 1;
  const irregular = layers.some(
    (layer, index) => (layer.window === null) !== ((index + 1) % pattern === 0),
  );
  if (irregular || (family === 'gemma2' && pattern !== 2)) {
    refuse('sliding and full layers do not alternate as in the published models');
  }
  return [
    ['attention.sliding_window', count(window)],
    ...optional('attention.sliding_window_pattern', family === 'gemma2' ? null : pattern, count),
    ...optional('attn_logit_softcapping', config.attentionSoftcap, float),
    ...optional('final_logit_softcapping', config.logitSoftcap, float),
  ];
}

const optional = (
  name: string,
  value: number | null,
  as: (value: number) => GgufValue,
): [string, GgufValue][] => (value === null ? [] : [[name, as(value)]]);

function phi3(config: DecoderConfig): [string, GgufValue][] {
  const rotated = config.layers[0]?.rotary?.inverseFrequencies.length ?? config.headSize / 2;
  return [
    ['rope.dimension_count', count(2 * rotated)],
    // llama.cpp expects 0 for none.
    ['attention.sliding_window', count(config.layers[0]?.window ?? 0)],
  ];
}

function gpt2(config: DecoderConfig, refuse: Refuse): [string, GgufValue][] {
  if (!usualScale(config)) refuse('the model has scale_attn_weights false');
  return [];
}
