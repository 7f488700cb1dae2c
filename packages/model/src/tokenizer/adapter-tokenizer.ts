// The tokenizer files that transformers, LLaMA-Factory, Unsloth and others save beside an adapter:
// the template and the tokens that it was trained with.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson, readOptional, savedTemplates } from './saved-files.ts';
import type { Tokenizer } from './tokenizer.ts';
import { TokenizerError } from './tokenizer-error.ts';

/**
 * The default chat template in an adapter's folder; null if it has none.
 * @throws TokenizerError for a file that cannot be read
 */
export const adapterTemplate = (folder: string): string | null =>
  savedTemplates(folder).default ?? null;

const tokenizerSchema = z.looseObject({
  added_tokens: z.array(z.looseObject({ id: z.int(), content: z.string() })).nullish(),
  model: z
    .looseObject({
      vocab: z.union([z.record(z.string(), z.int()), z.array(z.tuple([z.string(), z.number()]))]),
    })
    .nullish(),
});

const addedSchema = z.record(z.string(), z.int());

/**
 * Checks that a model's tokenizer has all tokens of the tokenizer beside an adapter, under their
 * ids, and ends texts with the same one. Tokens that only the model has are fine: the adapter was
 * trained without them.
 * @throws TokenizerError naming the first difference
 */
export function checkAdapterTokens(
  tokenizer: Pick<Tokenizer, 'tokenToId' | 'idToToken' | 'eosTokenId'>,
  folder: string,
): void {
  for (const [token, id] of savedTokens(folder)) {
    const own = tokenizer.tokenToId(token);
    if (own === id) continue;
    const found = own === null ? 'which the model does not have' : `which is ${own} in the model`;
    fail(folder, `${JSON.stringify(token)} is its token ${id}, ${found}`);
  }
  const end = savedEnd(folder);
  if (end === null || tokenizer.eosTokenId === null) return;
  const own = tokenizer.idToToken(tokenizer.eosTokenId);
  if (own !== end) {
    fail(
      folder,
      `it ends texts with ${JSON.stringify(end)}, the model with ${JSON.stringify(own)}`,
    );
  }
}

const fail = (folder: string, difference: string): never => {
  throw new TokenizerError(
    folder,
    `the adapter was trained with another tokenizer: ${difference}. ` +
      "Copy the tokenizer files of the adapter into a copy of the model's folder and pass that as --model; or, if the model's own tokenizer is right, remove them from the adapter's folder",
  );
};

const textSchema = z.union([z.string(), z.looseObject({ content: z.string() })]).nullish();

/** `eos_token` of the adapter's tokenizer_config.json; null: it names none. */
function savedEnd(folder: string): string | null {
  const path = join(folder, 'tokenizer_config.json');
  const { eos_token: end } = readOptional(path, z.looseObject({ eos_token: textSchema }));
  return (typeof end === 'string' ? end : end?.content) ?? null;
}

function* savedTokens(folder: string): Iterable<[token: string, id: number]> {
  yield* Object.entries(readOptional(join(folder, 'added_tokens.json'), addedSchema));
  const path = join(folder, 'tokenizer.json');
  if (!existsSync(path)) return;
  const { added_tokens: added, model } = readJson(path, tokenizerSchema);
  for (const { content, id } of added ?? []) yield [content, id];
  const vocabulary = model?.vocab ?? {};
  if (!Array.isArray(vocabulary)) yield* Object.entries(vocabulary);
  else for (const [id, [piece]] of vocabulary.entries()) yield [piece, id];
}
