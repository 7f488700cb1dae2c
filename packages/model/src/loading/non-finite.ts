import { noGrad, type Tensor, tidy } from '@keel/torch';
import type { Decoder } from '../decoder.ts';
import { CheckpointError } from '../formats/checkpoint-error.ts';
import { linearLayers, namedWeights } from './named-weights.ts';

/**
 * Whether a tensor holds nothing but finite numbers. Its sum tells: NaN and infinity do not go
 * away.
 */
export const allFinite = (tensor: Tensor): boolean =>
  tidy(() => noGrad(() => Number.isFinite(tensor.detach().to('float64').sum().item())));

/**
 * Looks for weights that are NaN or infinite, where what was computed with them is. A scan reads
 * every weight, so it is made only then.
 * @param name of the model, for the message
 * @param adapter the one that is on, or null
 * @throws CheckpointError naming the tensor: the one that is not finite, or else the one with the
 *   largest numbers
 */
export function refuseNonFiniteWeights(
  decoder: Decoder,
  name: string,
  adapter: string | null,
): never {
  let largest = { tensor: '', size: -1 };
  for (const [tensor, weight] of namedWeights(decoder)) {
    if (!allFinite(weight)) throw nonFinite(name, tensor);
    const size = tidy(() => noGrad(() => weight.detach().abs().max().item()));
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
    `holds the largest number of the weights, ${largest.size.toPrecision(3)}. All weights are finite, but what the model computes with them is not. The file is damaged, or the training that wrote it diverged; if the numbers are meant, try --precision fp32`,
  );
}

/** The error of a tensor that holds numbers which are not finite. */
export const nonFinite = (file: string, tensor: string): CheckpointError =>
  new CheckpointError(
    { file, tensor },
    'holds NaN or infinite numbers, so all that the model computes is NaN. The file is damaged, or the training that wrote it diverged: fetch it again, or take an earlier checkpoint',
  );
