import type { DecoderConfig } from '../decoder-config.ts';

/** A weighted module in a decoder with a given configuration. */
export interface PlannedModule {
  /** Name as in the checkpoint, without `.weight`. */
  name: string;
  kind: 'embedding' | 'norm' | 'linear';
  /** Shape of its weight; [out, in] for a linear layer. */
  shape: readonly number[];
  bias: boolean;
}

/** A module's name in one layer. */
export const inLayer = (pattern: string, layer: number): string =>
  pattern.replace('#', String(layer));

/**
 * Names and [out, in] of a layer's linear modules by place, in the order that the decoder expects.
 */
export function linearPlaces(config: DecoderConfig) {
  const { modules, hiddenSize, intermediateSize, heads, keyValueHeads, headSize } = config;
  const [query, keyValue] = [heads * headSize, keyValueHeads * headSize];
  const { biases } = config;
  const from = (name: string, bias: boolean, out: number, input = hiddenSize) => ({
    ...{ name, bias },
    shape: [out, input],
  });
  const { queryKeyValue: qkv, gateUp } = modules;
  const gates =
    gateUp.form === 'fused'
      ? [from(gateUp.both, biases.mlp, 2 * intermediateSize)]
      : [
          ...(gateUp.form === 'gated' ? [from(gateUp.gate, biases.mlp, intermediateSize)] : []),
          from(gateUp.up, biases.mlp, intermediateSize),
        ];
  return {
    queryKeyValue:
      typeof qkv === 'string'
        ? [from(qkv, biases.queryKeyValue, query + 2 * keyValue)]
        : [
            from(qkv.query, biases.queryKeyValue, query),
            from(qkv.key, biases.queryKeyValue, keyValue),
            from(qkv.value, biases.queryKeyValue, keyValue),
          ],
    attentionOutput: from(modules.attentionOutput, biases.attentionOutput, hiddenSize, query),
    gateUp: gates,
    down: from(modules.down, biases.mlp, hiddenSize, intermediateSize),
  };
}

/**
 * All modules with weights, in the order of the forward pass. The head is included only if it is
 * not tied.
 */
export function plannedModules(config: DecoderConfig): PlannedModule[] {
  const { modules, hiddenSize, headSize, vocabularySize } = config;
  const normBias = config.norm.kind === 'layer';
  const embedding = (name: string, rows: number): PlannedModule => ({
    name,
    kind: 'embedding',
    shape: [rows, hiddenSize],
    bias: false,
  });
  const norm = (name: string | undefined, size = hiddenSize): PlannedModule[] =>
    name === undefined ? [] : [{ name, kind: 'norm', shape: [size], bias: normBias }];
  const linear = (one: { name: string; shape: number[]; bias: boolean }): PlannedModule => ({
    ...one,
    kind: 'linear',
  });
  const places = linearPlaces(config);
  const block = [
    ...norm(modules.attentionNorm),
    ...places.queryKeyValue.map(linear),
    ...norm(modules.queryNorm, headSize),
    ...norm(modules.keyNorm, headSize),
    linear(places.attentionOutput),
    ...norm(modules.postAttentionNorm),
    ...norm(modules.mlpNorm),
    ...places.gateUp.map(linear),
    linear(places.down),
    ...norm(modules.postMlpNorm),
  ];
  return [
    embedding(modules.embedding, vocabularySize),
    ...(modules.positions === undefined ? [] : [embedding(modules.positions, config.maxPositions)]),
    ...config.layers.flatMap((_, layer) =>
      block.map((module) => ({ ...module, name: inLayer(module.name, layer) })),
    ),
    ...norm(modules.finalNorm),
    ...(config.tieEmbeddings ? [] : [embedding(modules.head, vocabularySize)]),
  ];
}
