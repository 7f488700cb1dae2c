// The model card of TRL, which names the method and the model that was trained.
import { isPlainObject } from '@keel/model/exact-json';
import { parse } from 'yaml';

/** What a model card says. */
export interface TrainerCard {
  /** `TRL dpo`, in TRL's own words; null: it is not TRL's, or does not say. */
  method: string | null;
  /** The model that was trained; null: it does not say. */
  model: string | null;
}

/** Tags of every card of a Trainer. */
const general = new Set(['trl', 'generated_from_trainer', 'transformers', 'hf_jobs', 'unsloth']);

/** The facts at the head of a README.md. @throws Error if it has none */
export function trainerCard(text: string): TrainerCard {
  const head = /^---\r?\n([\s\S]*?)\r?\n---/.exec(text)?.[1];
  const facts: unknown = parse(head ?? '');
  if (!isPlainObject(facts)) throw new Error('has no facts at its head');
  const { tags, base_model: model } = facts;
  const names = Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : [];
  const method = names.find((tag) => !general.has(tag) && /^[a-z][a-z-]{1,30}$/.test(tag));
  return {
    method: names.includes('trl') && method !== undefined ? `TRL ${method}` : null,
    model: typeof model === 'string' && model !== '' ? model : null,
  };
}
