// Checks the metadata that none of the configuration makers reads.
import { CheckpointError, quote } from '../formats/checkpoint-error.ts';

interface Rule {
  isFine(value: unknown): boolean;
  expected: string;
}

const only = (...values: unknown[]): Rule => ({
  isFine: (value) => values.includes(value),
  expected: values.map(String).join(' or '),
});

/** Fields that make llama.cpp's result differ from Keel's, unless they have these values. */
const rules = (headSize: number): Record<string, Rule> => ({
  'attention.causal': only(true),
  'attention.key_length': only(headSize),
  'attention.value_length': only(headSize),
  'attention.scale': only(0),
  'attention.clamp_kqv': only(0),
  'attention.max_alibi_bias': only(0),
  'attention.sliding_window': only(0),
  'attention.sliding_window_pattern': only(0),
  attn_logit_softcapping: only(0),
  final_logit_softcapping: only(0),
  logit_scale: only(0, 1),
  embedding_scale: only(0, 1),
  residual_scale: only(0, 1),
  expert_count: only(0),
  expert_used_count: only(0),
  nextn_predict_layers: only(0),
  use_parallel_residual: only(false),
  'rope.dimension_count': only(headSize),
  'rope.freq_base_swa': only(0),
  'rope.scale_linear': only(0, 1),
  'rope.scaling.attn_factor': only(0, 1),
  'rope.scaling.yarn_ext_factor': only(1),
  'rope.scaling.yarn_attn_factor': only(1),
  'rope.scaling.yarn_beta_fast': only(32),
  'rope.scaling.yarn_beta_slow': only(1),
  'rope.scaling.yarn_log_multiplier': only(0),
});

/** Sizes that the tensors also give, and fields about the file's origin. */
const withoutEffect = new Set([
  ...['vocab_size', 'tensor_data_layout', 'pooling_type', 'rope.scaling.finetuned'],
  // They belong to scalings without further fields, or to none.
  ...['rope.scaling.type', 'rope.scaling.factor', 'rope.scaling.original_context_length'],
]);

/**
 * @param unread fields without the architecture's prefix
 * @returns names of fields that Keel does not read
 * @throws CheckpointError naming a field that changes the result
 */
export function checkUnreadFields(
  path: string,
  prefix: string,
  unread: Readonly<Record<string, unknown>>,
  headSize: number,
): string[] {
  const known = rules(headSize);
  const unknown: string[] = [];
  for (const [field, value] of Object.entries(unread)) {
    const rule = Object.hasOwn(known, field) ? known[field] : undefined;
    if (rule === undefined) {
      const isUnset = value === false || value === 0 || value === '';
      if (!withoutEffect.has(field) && !isUnset) unknown.push(`${prefix}.${field}`);
    } else if (!rule.isFine(value)) {
      throw new CheckpointError(
        { file: path },
        `metadata "${prefix}.${field}" is ${quote(value)}, but Keel supports only ${rule.expected} in this architecture`,
      );
    }
  }
  return unknown;
}
