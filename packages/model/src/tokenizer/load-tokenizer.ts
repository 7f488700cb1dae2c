import { statSync } from 'node:fs';
import { cachedDefaultModel } from '../formats/default-model.ts';
import { openGguf } from '../formats/gguf.ts';
import { isDefaultModel, resolveModel } from '../resolve-model.ts';
import type { LoadTokenizerOptions } from './load-options.ts';
import type { Tokenizer } from './tokenizer.ts';
import { tokenizerFromFolder } from './tokenizer-from-folder.ts';
import { tokenizerFromGguf } from './tokenizer-from-gguf.ts';

/**
 * A model's tokenizer without its weights.
 * @throws Error if there is no such model, TokenizerError if its tokenizer is damaged
 */
export async function loadTokenizer(
  model: string,
  options: LoadTokenizerOptions = {},
): Promise<Tokenizer> {
  return tokenizerAt(await resolveModel(model), options);
}

/**
 * A model's tokenizer that is loaded with its first use. A default model that is not in the cache
 * is not fetched for it.
 * @throws Error if there is no such model. The returned function throws TokenizerError if the
 *   tokenizer is damaged, and Error if the default model is not in the cache
 */
export async function tokenizerLater(model: string): Promise<() => Tokenizer> {
  const known = isDefaultModel(model) ? null : await resolveModel(model);
  let loaded: Tokenizer | undefined;
  return () => {
    const path = known ?? cachedDefaultModel();
    if (path === null) {
      throw new Error(
        `the tokenizer of ${model} is not in the cache. Run npx keel setup, or pass another model`,
      );
    }
    loaded ??= tokenizerAt(path, {});
    return loaded;
  };
}

function tokenizerAt(path: string, options: LoadTokenizerOptions): Tokenizer {
  if (statSync(path).isDirectory()) return tokenizerFromFolder(path, options);
  using file = openGguf(path);
  return tokenizerFromGguf(file.metadata, path, options);
}
