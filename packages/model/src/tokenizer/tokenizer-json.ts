import { z } from 'zod';
import { TokenizerError } from './tokenizer-error.ts';

const component = z.looseObject({ type: z.string() }).nullish();

const addedToken = z.looseObject({
  id: z.int().nonnegative(),
  content: z.string().min(1),
  special: z.boolean().default(false),
});

const schema = z.looseObject({
  added_tokens: z.array(addedToken).default([]),
  normalizer: component,
  pre_tokenizer: component,
  post_processor: component,
  decoder: component,
  model: z.looseObject({ type: z.string().optional() }),
});

/** A part of the pipeline: a normalizer, pre-tokenizer, post-processor or decoder. */
export interface Component {
  type: string;
  [key: string]: unknown;
}

export interface AddedToken {
  id: number;
  content: string;
  special: boolean;
  [key: string]: unknown;
}

/** The contents of a tokenizer.json as the Hugging Face tokenizers library writes it. */
export interface TokenizerJson {
  added_tokens: AddedToken[];
  normalizer?: Component | null;
  pre_tokenizer?: Component | null;
  post_processor?: Component | null;
  decoder?: Component | null;
  model: Record<string, unknown> & { type?: string };
  [key: string]: unknown;
}

/** Checks the shape of a tokenizer.json and, for BPE, that vocabulary and merges fit together. */
export const checkTokenizerJson = (value: unknown, where: string): TokenizerJson => {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new TokenizerError(where, z.prettifyError(parsed.error));
  const json = parsed.data as TokenizerJson;
  const { model } = json;
  // Files of old versions leave the type out.
  const type = model.type ?? (Array.isArray(model.vocab) ? 'Unigram' : 'BPE');
  if (type === 'BPE') checkBytePairs(model, where);
  else if (type !== 'Unigram' && type !== 'WordPiece') {
    throw new TokenizerError(where, `its model is ${type}, expected BPE, Unigram or WordPiece`);
  }
  return { ...json, model: { ...model, type } };
};

const checkBytePairs = (model: Record<string, unknown>, where: string): void => {
  const { vocab, merges, continuing_subword_prefix: prefix } = model;
  if (typeof vocab !== 'object' || vocab === null || Array.isArray(vocab)) {
    throw new TokenizerError(where, 'its BPE model has no vocabulary (model.vocab)');
  }
  if (!Array.isArray(merges)) {
    throw new TokenizerError(
      where,
      'its BPE model has no merges (model.merges): text cannot be tokenised without them',
    );
  }
  if (typeof prefix === 'string' && prefix !== '') {
    throw new TokenizerError(
      where,
      `continuing_subword_prefix ${prefix} is not supported with BPE`,
    );
  }
  const known = new Set<string>();
  const ids = new Set<number>();
  for (const [token, id] of Object.entries(vocab as Record<string, unknown>)) {
    if (!Number.isSafeInteger(id) || (id as number) < 0 || (id as number) > 2 ** 31) {
      throw new TokenizerError(where, `token ${JSON.stringify(token)} has the id ${String(id)}`);
    }
    if (ids.has(id as number)) {
      throw new TokenizerError(
        where,
        `two tokens have the id ${id}; one is ${JSON.stringify(token)}`,
      );
    }
    ids.add(id as number);
    known.add(token);
  }
  merges.forEach((merge: unknown, index) => {
    const pair = typeof merge === 'string' ? merge.split(' ') : merge;
    const good = Array.isArray(pair) && pair.length === 2;
    if (!good || !known.has(pair[0]) || !known.has(pair[1]) || !known.has(`${pair[0]}${pair[1]}`)) {
      throw new TokenizerError(
        where,
        `merge ${index} (${JSON.stringify(merge)}) does not join two tokens of the vocabulary to a third`,
      );
    }
  });
};
