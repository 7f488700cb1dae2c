// Sequence classifiers of transformers: a language model whose last token's hidden state is
// multiplied with `score.weight`, in place of the language head.
import { architectureOf } from '../families/registry.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';

/** Whether a config.json is that of a sequence classifier. */
export function isClassifier({ architectures }: Readonly<Record<string, unknown>>): boolean {
  return (
    Array.isArray(architectures) &&
    typeof architectures[0] === 'string' &&
    architectures[0].endsWith('ForSequenceClassification')
  );
}

/**
 * Names of a classifier's labels, in order, as transformers reads them: `id2label`, else as many as
 * `num_labels` says, else 2.
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
 * transformers' class of a family's sequence classifier. @throws ConfigError for an unknown
 * `model_type`
 */
export const classifierArchitecture = (modelType: string): string =>
  modelType === 'gemma3_text'
    ? 'Gemma3TextForSequenceClassification'
    : architectureOf(modelType).replace(/(ForCausalLM|LMHeadModel)$/, 'ForSequenceClassification');

/** What config.json says of a classifier beside what it says of its language model. */
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
 * The pad token with which transformers finds a sequence's last token: its classifiers read the
 * rightmost token that is not the pad token, so that it must be none that a sequence ends with.
 * @returns the tokenizer's own where it ends nothing, else a special token that ends nothing; null
 *   where there is none
 */
export function classifierPadToken(tokenizer: Tokenizer): number | null {
  const { padTokenId, bosTokenId, eosTokenId, endOfTurnIds, specialTokenIds } = tokenizer;
  const ends = (id: number): boolean => id === eosTokenId || endOfTurnIds.has(id);
  if (padTokenId !== null && !ends(padTokenId)) return padTokenId;
  const others = [...specialTokenIds].filter((id) => !ends(id)).sort((a, b) => a - b);
  return others.find((id) => id !== bosTokenId) ?? others[0] ?? null;
}
