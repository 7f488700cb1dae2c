// Weights of which each of several processes has a part. They are gathered block by block.
// Embedding and head are units of their own, and the last norm is whole in every process.
import { type Derive, type DividedTensors, ops, type Tensor, tidy } from '@keel/torch';
import { type Block, type DecoderWeights, modulesOf, type Norm } from './decoder-weights.ts';
import type { Linear } from './linear.ts';

/** Divides tensors, which the caller still owns: `Division` of @keel/torch. */
export interface Divides {
  divide(tensors: readonly Tensor[], derive?: Derive): DividedTensors;
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

/** Divides weights and frees them. @returns with the weights that replace them, in order */
export function divideWeights(
  divides: Divides,
  weights: readonly Tensor[],
): { unit: DividedTensors; weights: readonly Tensor[] } {
  const unit = weights.some(ops.isQuantised)
    ? divideBytes(divides, weights)
    : divides.divide(weights);
  for (const one of weights) one.dispose();
  return { unit, weights: unit.derived.length > 0 ? unit.derived : unit.tensors };
}

/** Divides weights of any form by their bytes: blocks stay blocks. */
function divideBytes(divides: Divides, weights: readonly Tensor[]): DividedTensors {
  return tidy(() => {
    const bytesOf = (one: Tensor): Tensor => ops.viewDtype(one.reshape(-1), 'uint8');
    const parts = weights.map((one) => (ops.isQuantised(one) ? ops.quantisedParts(one) : [one]));
    const bytes = parts.flat().map(bytesOf);
    return divides.divide(bytes, (divided) => {
      let next = 0;
      return weights.map((weight, at) => {
        const own = parts[at]!.map(({ dtype, shape }) =>
          ops.viewDtype(divided[next++]!, dtype).view(...shape),
        );
        if (!ops.isQuantised(weight)) return own[0]!;
        return ops.withQuantisedParts(weight, own[0]!, own[1]!);
      });
    });
  });
}

/** Divides the embedding and the positions of a decoder, which then refers to the divided ones. */
export function divideEmbedding(
  divides: Divides,
  weights: Pick<DecoderWeights, 'embedding' | 'positions'>,
): DividedTensors {
  const { embedding, positions } = weights;
  const all = positions === null ? [embedding] : [embedding, positions];
  const { unit, weights: own } = divideWeights(divides, all);
  weights.embedding = own[0]!;
  if (positions !== null) weights.positions = own[1]!;
  return unit;
}

/** Divides the weights of a block, which then refers to the divided ones. */
export function divideBlock(divides: Divides, block: Block): DividedTensors {
  const modules: (Linear | Norm)[] = modulesOf(block);
  const all = modules.flatMap(({ weight, bias }) => (bias === null ? [weight] : [weight, bias]));
  const { unit, weights } = divideWeights(divides, all);
  let next = 0;
  for (const module of modules) {
    module.weight = weights[next++]!;
    if (module.bias !== null) module.bias = weights[next++]!;
  }
  return unit;
}
