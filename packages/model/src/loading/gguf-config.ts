// Translates a GGUF file's metadata into the config.json that transformers would have for the
// weights.
import { architectureOf } from '../families/registry.ts';
import { CheckpointError } from '../formats/checkpoint-error.ts';
import type { GgufFile } from '../formats/gguf.ts';
import { GgufFields } from './gguf-fields.ts';
import { ggufRopeScaling } from './gguf-rope-scaling.ts';
import { checkUnreadFields } from './gguf-unread-fields.ts';

type Json = Record<string, unknown>;

/**
 * @param notice receives the names of fields that Keel does not read
 * @throws CheckpointError if the architecture is unknown, or a field is missing, wrong or not
 *   supported
 */
export function ggufConfigJson(
  path: string,
  file: GgufFile,
  notice: (text: string) => void = () => {},
): Json {
  const name = file.metadata['general.architecture'];
  const make = typeof name === 'string' && Object.hasOwn(makers, name) ? makers[name] : undefined;
  if (make === undefined) {
    throw new CheckpointError(
      { file: path },
      `its general.architecture is "${name}"; Keel supports ${Object.keys(makers).join(', ')}`,
    );
  }
  if (!file.has('token_embd.weight')) {
    throw new CheckpointError({ file: path, tensor: 'token_embd.weight' }, 'is missing');
  }
  const fields = new GgufFields(path, file, String(name));
  const json = make(fields, file);
  const size =
    json.head_dim ??
    Number(json.hidden_size ?? json.n_embd) / Number(json.num_attention_heads ?? json.n_head);
  const unknown = checkUnreadFields(path, String(name), fields.unread(), Number(size));
  if (unknown.length > 0) {
    notice(`${path}: Keel does not read this metadata: ${unknown.join(', ')}`);
  }
  const modelType = String(json.model_type);
  return {
    architectures: [architectureOf(modelType)],
    ...json,
    tie_word_embeddings: !file.has('output.weight'),
    vocab_size: file.info('token_embd.weight').shape[0],
    ...tokenIds(file),
  };
}

function tokenIds({ metadata }: GgufFile): Json {
  const ids: [string, unknown][] = [
    ['bos_token_id', metadata['tokenizer.ggml.bos_token_id']],
    ['eos_token_id', metadata['tokenizer.ggml.eos_token_id']],
    ['pad_token_id', metadata['tokenizer.ggml.padding_token_id']],
  ];
  return Object.fromEntries(ids.map(([name, id]) => [name, typeof id === 'number' ? id : null]));
}

/** Fields that nearly all architectures have, under transformers' names. */
function common(fields: GgufFields, modelType: string): Json {
  const heads = fields.count('attention.head_count');
  return {
    model_type: modelType,
    hidden_size: fields.count('embedding_length'),
    intermediate_size: fields.count('feed_forward_length'),
    num_hidden_layers: fields.count('block_count'),
    num_attention_heads: heads,
    num_key_value_heads: fields.optionalCount('attention.head_count_kv') ?? heads,
    max_position_embeddings: fields.count('context_length'),
    rms_norm_eps: fields.number('attention.layer_norm_rms_epsilon'),
    rope_theta: fields.optionalNumber('rope.freq_base') ?? 10_000,
  };
}

const headSize = (fields: GgufFields): number =>
  fields.optionalCount('attention.key_length') ??
  Math.floor(fields.count('embedding_length') / fields.count('attention.head_count'));

function llama(fields: GgufFields, file: GgufFile): Json {
  const window = fields.countOrNone('attention.sliding_window');
  const turned = fields.optionalCount('rope.dimension_count');
  const size = fields.optionalCount('attention.key_length') ?? turned;
  if (size !== null && turned !== null && size !== turned) {
    fields.fail(
      `rotary embeddings rotate ${turned} features of heads of ${size}, but Llama rotates whole heads`,
    );
  }
  return {
    ...common(fields, window === null ? 'llama' : 'mistral'),
    head_dim: size ?? headSize(fields),
    hidden_act: 'silu',
    attention_bias: file.has('blk.0.attn_output.bias'),
    mlp_bias: file.has('blk.0.ffn_down.bias'),
    rope_scaling: ggufRopeScaling(fields, file),
    ...(window === null ? {} : { sliding_window: window }),
  };
}

const qwen =
  (modelType: string) =>
  (fields: GgufFields, file: GgufFile): Json => ({
    ...common(fields, modelType),
    ...(modelType === 'qwen3' ? { head_dim: headSize(fields), attention_bias: false } : {}),
    hidden_act: 'silu',
    use_sliding_window: false,
    rope_scaling: ggufRopeScaling(fields, file),
  });

function smollm3(fields: GgufFields, file: GgufFile): Json {
  const layers = fields.count('block_count');
  return {
    ...common(fields, 'smollm3'),
    hidden_act: 'silu',
    attention_bias: false,
    mlp_bias: false,
    use_sliding_window: false,
    no_rope_layer_interval: 4,
    // The file does not have this. All models of this architecture omit them in every fourth layer.
    no_rope_layers: Array.from({ length: layers }, (_, layer) => Number((layer + 1) % 4 !== 0)),
    rope_scaling: ggufRopeScaling(fields, file),
  };
}

function gemma(fields: GgufFields, modelType: string, largest: number): Json {
  const hidden = fields.count('embedding_length');
  const heads = fields.count('attention.head_count');
  const size = headSize(fields);
  return {
    ...common(fields, modelType),
    head_dim: size,
    hidden_activation: 'gelu_pytorch_tanh',
    // The file does not have this. Only the 27B models scale by hidden / heads.
    query_pre_attn_scalar: fields.count('block_count') === largest ? hidden / heads : size,
    sliding_window: fields.count('attention.sliding_window'),
  };
}

const gemma2 = (fields: GgufFields, file: GgufFile): Json => ({
  ...gemma(fields, 'gemma2', 46),
  attn_logit_softcapping: fields.optionalNumber('attn_logit_softcapping') ?? 50,
  final_logit_softcapping: fields.optionalNumber('final_logit_softcapping') ?? 30,
  rope_scaling: ggufRopeScaling(fields, file),
});

const gemma3 = (fields: GgufFields, file: GgufFile): Json => ({
  ...gemma(fields, 'gemma3_text', 62),
  attn_logit_softcapping: null,
  final_logit_softcapping: fields.optionalNumber('final_logit_softcapping'),
  rope_theta: fields.optionalNumber('rope.freq_base') ?? 1_000_000,
  rope_local_base_freq: fields.optionalNumber('rope.freq_base_swa') ?? 10_000,
  rope_scaling: ggufRopeScaling(fields, file),
  sliding_window_pattern: fields.optionalCount('attention.sliding_window_pattern') ?? 6,
});

function phi3(fields: GgufFields, file: GgufFile): Json {
  const length = fields.count('context_length');
  const size = Math.floor(fields.count('embedding_length') / fields.count('attention.head_count'));
  const turned = fields.optionalCount('rope.dimension_count') ?? size;
  return {
    ...common(fields, 'phi3'),
    hidden_act: 'silu',
    original_max_position_embeddings:
      fields.optionalCount('rope.scaling.original_context_length') ?? length,
    partial_rotary_factor: turned / size,
    rope_scaling: ggufRopeScaling(fields, file),
    sliding_window: fields.countOrNone('attention.sliding_window'),
  };
}

const gpt2 = (fields: GgufFields): Json => ({
  model_type: 'gpt2',
  activation_function: 'gelu_new',
  n_embd: fields.count('embedding_length'),
  n_inner: fields.count('feed_forward_length'),
  n_layer: fields.count('block_count'),
  n_head: fields.count('attention.head_count'),
  n_positions: fields.count('context_length'),
  layer_norm_epsilon: fields.number('attention.layer_norm_epsilon'),
});

const makers: Record<string, ((fields: GgufFields, file: GgufFile) => Json) | undefined> = {
  llama,
  mistral: llama,
  qwen2: qwen('qwen2'),
  qwen3: qwen('qwen3'),
  gemma2,
  gemma3,
  phi3,
  gpt2,
  smollm3,
};
