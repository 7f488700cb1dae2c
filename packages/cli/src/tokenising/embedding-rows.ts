import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { resolveModel } from '@keel/model/without-torch';

/**
 * Number of rows of a model's embedding, from its config.json (default: infinite).
 * @throws Error if there is no such model
 */
export async function embeddingRows(model: string): Promise<number> {
  const path = join(await resolveModel(model), 'config.json');
  if (!existsSync(path)) return Number.POSITIVE_INFINITY;
  const config = JSON.parse(readFileSync(path, 'utf8')) as Config;
  return config.vocab_size ?? config.text_config?.vocab_size ?? Number.POSITIVE_INFINITY;
}

interface Config {
  vocab_size?: number;
  text_config?: Config;
}
