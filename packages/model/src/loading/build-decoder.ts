import {
  type Device,
  type DividedTensors,
  type DType,
  Scope,
  type Tensor,
  tensor,
  tidy,
} from '@keel/torch';
import { Decoder } from '../decoder.ts';
import type { DecoderConfig } from '../decoder-config.ts';
import { type Block, type DecoderWeights, modulesOf, type Norm } from '../decoder-weights.ts';
import { type Divides, divideBlock, divideEmbedding, divideWeights } from '../divided-weights.ts';
import { Linear } from '../linear.ts';
import { type BasePrecision, type MatrixUse, readBlocks } from './base-weights.ts';
import { inLayer, linearPlaces } from './module-plan.ts';
import { namedWeights } from './named-weights.ts';
import type { WeightSource } from './weight-source.ts';

export type ComputeType = 'float32' | 'bfloat16' | 'float64';

export interface BuildOptions {
  computeType: ComputeType;
  device: Device;
  /** Weights are float32 parameters with gradients (float64 if the compute type is float64). */
  trainable: boolean;
  /** How frozen matrices are held. */
  base: BasePrecision;
  /** Divides the weights among processes, block by block as they are read (default: none are). */
  divides?: Divides | null | undefined;
}

/**
 * Reads a checked checkpoint's weights, tensor by tensor, so that at most one tensor is held twice.
 * @throws CheckpointError if bytes cannot be read
 */
export function buildDecoder(
  source: WeightSource,
  config: DecoderConfig,
  { computeType, device, trainable, base, divides = null }: BuildOptions,
): Decoder {
  // On an error, the weights that were already read are freed.
  using _scope = new Scope();
  using units = new DisposableStack();
  const use = (unit: DividedTensors): DividedTensors => units.use(unit);
  const storage: DType = trainable && computeType !== 'float64' ? 'float32' : computeType;
  const read = (name: string, transposed = false): Tensor => {
    const weight = tidy(() => {
      // Parameters start at values that the compute type can represent. Otherwise a weight halfway
      // between two such values would jump by a whole step at the first small change, and the
      // objective would see a different model from the one that is trained.
      const stored = source.read(name, computeType);
      const turned = transposed ? stored.t().contiguous() : stored;
      const placed = turned.to({ dtype: storage, device });
      return trainable && source.mapped && computeType === storage ? placed.clone() : placed;
    });
    return trainable ? weight.setRequiresGrad() : weight;
  };
  const matrix = (name: string, use: MatrixUse): Tensor => {
    const held = trainable ? null : readBlocks(source, name, use, { base, computeType });
    return held ?? read(name, use === 'linear' && source.transposedLinears);
  };
  const linear = (module: string, bias: boolean): Linear =>
    new Linear(module, matrix(`${module}.weight`, 'linear'), bias ? read(`${module}.bias`) : null);
  const norm = (module: string): Norm => ({
    name: module,
    weight: read(`${module}.weight`),
    bias: config.norm.kind === 'layer' ? read(`${module}.bias`) : null,
  });

  const { modules } = config;
  const places = linearPlaces(config);
  const block = (layer: number): Block => {
    const linearAt = ({ name, bias }: { name: string; bias: boolean }): Linear =>
      linear(inLayer(name, layer), bias);
    const normAt = (name: string): Norm => norm(inLayer(name, layer));
    const optionalNorm = (name: string | undefined): Norm | null =>
      name === undefined ? null : normAt(name);
    return {
      attentionNorm: normAt(modules.attentionNorm),
      queryKeyValue: places.queryKeyValue.map(linearAt),
      queryNorm: optionalNorm(modules.queryNorm),
      keyNorm: optionalNorm(modules.keyNorm),
      attentionOutput: linearAt(places.attentionOutput),
      postAttentionNorm: optionalNorm(modules.postAttentionNorm),
      mlpNorm: normAt(modules.mlpNorm),
      gateUp: places.gateUp.map(linearAt),
      down: linearAt(places.down),
      postMlpNorm: optionalNorm(modules.postMlpNorm),
    };
  };
  const embedding = matrix(`${modules.embedding}.weight`, 'embedding');
  const weights: DecoderWeights = {
    embedding,
    positions: modules.positions === undefined ? null : read(`${modules.positions}.weight`),
    blocks: [],
    finalNorm: norm(modules.finalNorm),
    head: embedding,
  };
  // Pages of the file that were copied need not stay in memory.
  const release = (modules: readonly (Linear | Norm)[]): void => {
    for (const { name, bias } of modules) {
      source.release(`${name}.weight`);
      if (bias !== null) source.release(`${name}.bias`);
    }
  };
  const { tieEmbeddings } = config;
  const inUnits = divides && { embedding: use(divideEmbedding(divides, weights)) };
  if (inUnits !== null) source.release(`${modules.embedding}.weight`);
  const divided: DividedTensors[] = [];
  weights.blocks = config.layers.map((_, layer) => {
    const own = block(layer);
    if (divides !== null) {
      divided.push(use(divideBlock(divides, own)));
      release(modulesOf(own));
    }
    return own;
  });
  if (tieEmbeddings) weights.head = weights.embedding;
  else weights.head = matrix(`${modules.head}.weight`, 'embedding');
  const own = divides && !tieEmbeddings ? divideWeights(divides, [weights.head]) : null;
  const head = own && use(own.unit);
  if (own !== null) weights.head = own.weights[0]!;
  const embeddingScale = rounded(config.embeddingScale, computeType);
  const decoder = new Decoder({ ...config, embeddingScale }, weights, computeType);
  if (inUnits !== null) decoder.divided = { ...inUnits, blocks: divided, head };
  for (const weight of namedWeights(decoder).values()) weight.keep();
  units.move();
  return decoder;
}

/** Rounded to the model's own type: Gemma was trained with the rounded scale. */
function rounded(value: number, dtype: DType): number {
  using held = tensor(value, { dtype });
  return held.item();
}
