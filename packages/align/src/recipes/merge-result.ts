// Merges a stage's adapter into its base: the model that later stages load.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAdapter, loadModel, mergeAdapter, saveModel } from '@keel/model';
import { trimMemory } from '@keel/torch';
import { savedTemplate } from '../config/template-options.ts';
import { removePartials, writeFileAtomic, writeFolderAtomic } from '../files/atomic-write.ts';
import { describeMerge } from '../merging/describe-merge.ts';
import { finalFolder, mergedFolder, stageFolder } from './recipe.ts';

const RECORD = 'merged-from.json';
const ADAPTER = 'adapter';

export interface MergedFrom {
  /** As named in the stage's options. */
  base: string;
  /** SHA-256 of the base's files. */
  baseSha256: string;
  /** SHA-256 of the adapter's files. */
  adapterSha256: string;
}

/**
 * Writes the stage's merged model: W + scale * B A in float32, whatever the run's precision. A
 * stage that loads it in another type rounds it once, at that point.
 * @param from what to merge; nothing is done if that merge exists already
 * @returns whether it was written
 * @throws CheckpointError if the base or the adapter is damaged
 */
export async function mergeResult(
  output: string,
  name: string,
  from: MergedFrom,
  onStart: () => void = () => {},
): Promise<boolean> {
  const folder = mergedFolder(output, name);
  if (isMerged(folder, from)) return false;
  onStart();
  await removePartials(stageFolder(output, name));
  const source = savedTemplate(finalFolder(output, name));
  const template = source === null ? {} : { source };
  const model = await loadModel(from.base, { precision: 'fp32', device: 'cpu', template });
  try {
    loadAdapter(model.decoder, finalFolder(output, name), ADAPTER);
    mergeAdapter(model.decoder, ADAPTER);
    await writeFolderAtomic(folder, (inside) => {
      saveModel(inside, model.decoder, model.configJson, model.tokenizer, {
        dtype: 'F32',
        generationConfig: model.generationConfig,
      });
      const { base, baseSha256: sha256 } = from;
      const adapter = finalFolder(output, name);
      describeMerge(inside, { base, adapter, sha256, reward: false });
      writeFileAtomic(join(inside, RECORD), `${JSON.stringify(from, null, 2)}\n`);
    });
  } finally {
    model.dispose();
    trimMemory();
  }
  return true;
}

function isMerged(folder: string, from: MergedFrom): boolean {
  const path = join(folder, RECORD);
  if (!existsSync(path)) return false;
  try {
    const found = JSON.parse(readFileSync(path, 'utf8')) as Partial<MergedFrom>;
    return found.baseSha256 === from.baseSha256 && found.adapterSha256 === from.adapterSha256;
  } catch {
    return false;
  }
}
