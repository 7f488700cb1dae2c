// The length head of a reward model: a file beside the weights, which only further training reads.
// The model itself has the quality head alone, like any other reward model.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CheckpointError, openSafetensors, writeSafetensors } from '@keel/model';
import { fromBytes, type Tensor, tidy } from '@keel/torch';

const FILE = 'length_head.safetensors';
const WEIGHT = 'length_head.weight';

/** @param head [1, hidden] float32 */
export function saveLengthHead(folder: string, head: Tensor): void {
  const { buffer, byteOffset, byteLength } = tidy(() =>
    head.detach().to({ device: 'cpu' }).contiguous().toTypedArray(),
  );
  const data = new Uint8Array(buffer, byteOffset, byteLength);
  const tensor = { name: WEIGHT, dtype: 'F32' as const, shape: head.shape, data: () => data };
  writeSafetensors(join(folder, FILE), [tensor]);
}

/**
 * @param width of the model's hidden states
 * @returns [1, hidden] float32; null if the model has none
 * @throws CheckpointError if the file is damaged or of another width
 */
export function loadLengthHead(folder: string, width: number, device: string): Tensor | null {
  const path = join(folder, FILE);
  if (!existsSync(path)) return null;
  using file = openSafetensors(path);
  const { dtype, shape } = file.info(WEIGHT);
  if (dtype !== 'F32' || shape.join() !== `1,${width}`) {
    throw new CheckpointError(
      { file: path, tensor: WEIGHT },
      `is ${dtype} [${shape.join(', ')}]; expected F32 [1, ${width}]`,
    );
  }
  return tidy(() => fromBytes(file.read(WEIGHT), 'float32', shape).to({ device }).clone()).keep();
}
