import type { Tensor } from '@keel/torch';
import type { Decoder } from '../decoder.ts';
import { linearsOf, modulesOf, type Norm } from '../decoder-weights.ts';
import { unitsOf } from '../divided-weights.ts';
import type { Linear } from '../linear.ts';

/** All linear layers but the head, in the order of the forward pass. */
export const linearLayers = (decoder: Decoder): Linear[] =>
  decoder.weights.blocks.flatMap(linearsOf);

/**
 * The decoder's own weights by their names in a checkpoint; linear weights are [out, in]. A tied
 * head and adapters are excluded. For full fine-tuning these are the parameters.
 */
export function namedWeights(decoder: Decoder): Map<string, Tensor> {
  const { config, weights } = decoder;
  const { modules } = config;
  const named = new Map<string, Tensor>();
  const add = ({ name, weight, bias }: Linear | Norm): void => {
    named.set(`${name}.weight`, weight);
    if (bias !== null) named.set(`${name}.bias`, bias);
  };
  named.set(`${modules.embedding}.weight`, weights.embedding);
  if (weights.positions !== null) named.set(`${modules.positions}.weight`, weights.positions);
  for (const block of weights.blocks) {
    for (const module of modulesOf(block)) add(module);
  }
  add(weights.finalNorm);
  if (!config.tieEmbeddings) named.set(`${modules.head}.weight`, weights.head);
  return named;
}

/** Frees a decoder's weights and adapters. */
export function disposeDecoder(decoder: Decoder): void {
  for (const file of decoder.files) file[Symbol.dispose]();
  for (const unit of decoder.divided === null ? [] : unitsOf(decoder.divided)) {
    unit[Symbol.dispose]();
  }
  for (const weight of namedWeights(decoder).values()) weight.dispose();
  for (const { adapters } of linearLayers(decoder)) {
    for (const { a, b } of adapters.values()) {
      a.dispose();
      b.dispose();
    }
    adapters.clear();
  }
}
