// Weights of which each of several processes has a part. They are gathered block by block.
// Embedding and head are units of their own, and the last norm is whole in every process.
import type { DividedTensors, Tensor } from '@keel/torch';
import { type Block, type DecoderWeights, modulesOf, type Norm } from './decoder-weights.ts';
import type { Linear } from './linear.ts';

/** Divides tensors, which the caller still owns: `Division` of @keel/torch. */
export interface Divides {
  divide(tensors: readonly Tensor[]): DividedTensors;
}

/** The divided weights of a decoder, in the units in which they are gathered. */
export interface DividedWeights {
  /** The embedding and, if positions are learned, theirs. A tied head is the embedding. */
  embedding: DividedTensors;
  blocks: readonly DividedTensors[];
  /** null: it is tied. */
  head: DividedTensors | null;
}

/** All units, in the order of the forward pass. */
export const unitsOf = ({ embedding, blocks, head }: DividedWeights): DividedTensors[] => [
  embedding,
  ...blocks,
  ...(head === null ? [] : [head]),
];

/** Divides tensors and frees them. */
export function divideTensors(divides: Divides, tensors: readonly Tensor[]): DividedTensors {
  const unit = divides.divide(tensors);
  for (const one of tensors) one.dispose();
  return unit;
}

/** Divides the embedding and the positions of a decoder, which then refers to the divided ones. */
export function divideEmbedding(
  divides: Divides,
  weights: Pick<DecoderWeights, 'embedding' | 'positions'>,
): DividedTensors {
  const { embedding, positions } = weights;
  const unit = divideTensors(divides, positions === null ? [embedding] : [embedding, positions]);
  weights.embedding = unit.tensors[0]!;
  if (positions !== null) weights.positions = unit.tensors[1]!;
  return unit;
}

/** Divides the weights of a block, which then refers to the divided ones. */
export function divideBlock(divides: Divides, block: Block): DividedTensors {
  const modules: (Linear | Norm)[] = modulesOf(block);
  const weights = modules.flatMap(({ weight, bias }) =>
    bias === null ? [weight] : [weight, bias],
  );
  const unit = divideTensors(divides, weights);
  let next = 0;
  for (const module of modules) {
    module.weight = unit.tensors[next++]!;
    if (module.bias !== null) module.bias = unit.tensors[next++]!;
  }
  return unit;
}
