import { finiteHere, noGrad, type Tensor, tidy } from '@keel/torch';
import type { Decoder } from '../decoder.ts';
import { CheckpointError } from '../formats/checkpoint-error.ts';
import { elementsOf } from './base-weights.ts';
import { linearLayers, namedWeights } from './named-weights.ts';

/**
 * Whether a tensor contains only finite numbers. Checking its sum suffices, since NaN and infinity
 * propagate.
 */
export const allFinite = (tensor: Tensor): boolean =>
  tidy(() => noGrad(() => Number.isFinite(elementsOf(tensor).detach().to('float64').sum().item())));

/**
 * Finds weights that are NaN or infinite after a result was. It reads every weight, so it runs only
 * then.
 * @param name the model's name, for the message
 * @param adapter the current adapter, or null
 * @throws CheckpointError naming the tensor that is not finite, or else the one with the largest
 *   numbers
 */
export function refuseNonFiniteWeights(
  decoder: Decoder,
  name: string,
  adapter: string | null,
): never {
  if (decoder.divided !== null) refuseDivided(decoder, name);
  let largest = { tensor: '', size: -1 };
  for (const [tensor, weight] of namedWeights(decoder)) {
    if (!allFinite(weight)) throw nonFinite(name, tensor);
    const size = tidy(() => noGrad(() => elementsOf(weight).detach().abs().max().item()));
    if (size > largest.size) largest = { tensor, size };
  }
  for (const layer of adapter === null ? [] : linearLayers(decoder)) {
    const pair = layer.adapters.get(adapter!);
    if (pair === undefined) continue;
    if (!allFinite(pair.a)) throw nonFinite(`adapter "${adapter}"`, `${layer.name}.lora_A`);
    if (!allFinite(pair.b)) throw nonFinite(`adapter "${adapter}"`, `${layer.name}.lora_B`);
  }
  throw new CheckpointError(
    { file: name, tensor: largest.tensor },
    `has the largest weight, ${largest.size.toPrecision(3)}. All weights are finite, but the model's results are not. The file is damaged, or the training run that wrote it diverged. If the weights are correct, try --precision fp32`,
  );
}

/** Of weights that processes divide, each can read only its part. */
function refuseDivided(decoder: Decoder, name: string): never {
  let unknown = false;
  for (const [tensor, weight] of namedWeights(decoder)) {
    const finite = finiteHere(weight);
    if (finite === false) throw nonFinite(name, tensor);
    unknown ||= finite === null;
  }
  const checked = unknown
    ? 'its quantised blocks are divided by their bytes, which cannot be checked here'
    : "this process's part of its weights is finite";
  throw new CheckpointError(
    { file: name },
    `gives results that are NaN or infinite, and ${checked}. Run \`keel generate\` with the model: in one process, all of its weights are checked`,
  );
}

/** The error for a tensor with NaN or infinite numbers. */
export const nonFinite = (file: string, tensor: string): CheckpointError =>
  new CheckpointError(
    { file, tensor },
    'contains NaN or infinite numbers, so all results of the model are NaN. The file is damaged, or the training run that wrote it diverged. Download it again, or use an earlier checkpoint',
  );
