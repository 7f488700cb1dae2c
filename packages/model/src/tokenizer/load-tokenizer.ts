import { statSync } from 'node:fs';
import { openGguf } from '../formats/gguf.ts';
import { resolveModel } from '../resolve-model.ts';
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
  const path = await resolveModel(model);
  if (statSync(path).isDirectory()) return tokenizerFromFolder(path, options);
  using file = openGguf(path);
  return tokenizerFromGguf(file.metadata, path, options);
}
