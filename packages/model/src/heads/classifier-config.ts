// Sequence classifiers of transformers: a language model whose last token's hidden state is
// multiplied by `score.weight` instead of the language head.
import { architectureOf } from '../families/registry.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';

/** Whether a config.json describes a sequence classifier. */
export function isClassifier({ architectures }: Readonly<Record<string, unknown>>): boolean {
  return (
    Array.isArray(architectures) &&
    typeof architectures[0] === 'string' &&
    architectures[0].endsWith('ForSequenceClassification')
  );
}

/**
 * A classifier's label names, in order, as transformers reads them: `id2label`, else `num_labels`
 * default names, else 2.
 */
export function labelsOf(configJson: Readonly<Record<string, unknown>>): string[] {
  const { id2label, num_labels: count } = configJson;
  if (typeof id2label === 'object' && id2label !== null) {
    const named = Object.entries(id2label as Record<string, unknown>);
    return named.sort(([a], [b]) => Number(a) - Number(b)).map(([, name]) => String(name));
  }
  const length = typeof count === 'number' && count > 0 ? count : 2;
  return Array.from({ length }, (_, label) => `LABEL_${label}`);
}

/**
 * transformers' class for a family's sequence classifier. @throws ConfigError for an unknown
 * `model_type`
 */
export const classifierArchitecture = (modelType: string): string =>
  modelType === 'gemma3_text'
    ? 'Gemma3TextForSequenceClassification'
    : architectureOf(modelType).replace(/(ForCausalLM|LMHeadModel)$/, 'ForSequenceClassification');

/** The fields of config.json that a classifier has in addition to its language model's. */
export function classifierFields(labels: number, padTokenId: number | null) {
  const names = Array.from({ length: labels }, (_, label) => `LABEL_${label}`);
  return {
    num_labels: labels,
    id2label: Object.fromEntries(names.map((name, label) => [String(label), name])),
    label2id: Object.fromEntries(names.map((name, label) => [name, label])),
    ...(padTokenId === null ? {} : { pad_token_id: padTokenId }),
  };
}

/**
 * The pad token with which transformers finds a sequence's last token. Its classifiers read the
 * rightmost token that is not the pad token, so no sequence may end with it.
 * @returns the tokenizer's own if no sequence ends with it, else a special token that ends no
 *   sequence; null if there is none
 */
export function classifierPadToken(tokenizer: Tokenizer): number | null {
  const { padTokenId, bosTokenId, eosTokenId, endOfTurnIds, specialTokenIds } = tokenizer;
  const ends = (id: number): boolean => id === eosTokenId || endOfTurnIds.has(id);
  if (padTokenId !== null && !ends(padTokenId)) return padTokenId;
  const others = [...specialTokenIds].filter((id) => !ends(id)).sort((a, b) => a - b);
  return others.find((id) => id !== bosTokenId) ?? others[0] ?? null;
}
