import { addLora, loadModel, newScoreHead, saveAdapter } from '@keel/model';
import { noGrad, tidy, withSeed } from '@keel/torch';

/**
 * Writes an adapter with random weights, the same each time, on a tiny model; optionally with a
 * scalar head.
 * @returns the folder
 */
export async function writeTinyAdapter(
  folder: string,
  base: string,
  { head = false } = {},
): Promise<string> {
  const model = await loadModel(base, { precision: 'fp32' });
  const { decoder, tokenizer } = model;
  const options = { rank: 2, alpha: 8, targets: 'all-linear', seed: 3 } as const;
  const parameters = addLora(decoder, 'a', options);
  const draw = (): void => [...parameters.values()].forEach((one) => void one.normal_(0, 0.3));
  tidy(() => noGrad(() => withSeed(3, draw)));
  saveAdapter(folder, decoder, 'a', {
    ...{ baseModel: base, baseHash: await model.hash() },
    scoreHead: head ? newScoreHead(decoder, { seed: 5 }) : null,
  });
  tokenizer.save(folder);
  model.dispose();
  return folder;
}
