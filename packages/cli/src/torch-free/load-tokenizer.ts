// A model's tokenizer without its weights.
import { statSync } from 'node:fs';
import { openGguf } from '../../../model/src/formats/gguf.ts';
import { resolveModel } from '../../../model/src/resolve-model.ts';
import type { Tokenizer } from '../../../model/src/tokenizer/tokenizer.ts';
import { tokenizerFromFolder } from '../../../model/src/tokenizer/tokenizer-from-folder.ts';
import { tokenizerFromGguf } from '../../../model/src/tokenizer/tokenizer-from-gguf.ts';

/** @throws Error where there is no such model, TokenizerError where its tokenizer is damaged */
export async function loadTokenizer(model: string): Promise<Tokenizer> {
  const path = await resolveModel(model);
  if (statSync(path).isDirectory()) return tokenizerFromFolder(path);
  using file = openGguf(path);
  return tokenizerFromGguf(file.metadata);
}
