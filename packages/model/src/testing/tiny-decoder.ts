import { type DType, fromTypedArray, keep, manualSeed, ops, type Tensor, tidy } from '@keel/torch';
import { Decoder } from '../decoder.ts';
import type { DecoderConfig } from '../decoder-config.ts';
import type { Block, Norm } from '../decoder-weights.ts';
import { Linear } from '../linear.ts';
import { createStreamDecoder, type StreamDecoder } from '../tokenizer/stream-decoder.ts';

export interface TinyOptions {
  dtype?: DType;
  layers?: number;
  heads?: number;
  keyValueHeads?: number;
  headSize?: number;
  vocabularySize?: number;
  maxPositions?: number;
  /** Sliding window of every second layer. */
  window?: number | null;
  attentionSoftcap?: number | null;
  seed?: number;
  /** Factor on the head's weights: larger values make the model more certain of its next token. */
  sharpness?: number;
}

/** The end-of-turn token of {@link byteTokenizer}. */
export const endToken = 256;

/** A Llama-shaped decoder with random weights, small enough for a test. */
export function tinyDecoder({
  dtype = 'float64',
  layers = 2,
  heads = 4,
  keyValueHeads = 2,
  headSize = 6,
  vocabularySize = 257,
  maxPositions = 256,
  window = null,
  attentionSoftcap = null,
  seed = 1,
  sharpness = 1,
}: TinyOptions = {}): Decoder {
  const hidden = 20;
  const intermediate = 36;
  const rotary = {
    inverseFrequencies: Array.from(
      { length: headSize / 2 },
      (_, i) => 100 ** ((-2 * i) / headSize),
    ),
    attentionFactor: 1,
  };
  const config: DecoderConfig = {
    family: 'tiny',
    vocabularySize,
    hiddenSize: hidden,
    intermediateSize: intermediate,
    heads,
    keyValueHeads,
    headSize,
    maxPositions,
    layers: Array.from({ length: layers }, (_, index) => ({
      window: index % 2 === 0 ? window : null,
      rotary,
    })),
    norm: { kind: 'rms', epsilon: 1e-6, weightOffset: 0 },
    attentionScale: 1 / Math.sqrt(headSize),
    attentionSoftcap,
    logitSoftcap: null,
    activation: 'silu',
    embeddingScale: 1,
    tieEmbeddings: false,
    biases: { queryKeyValue: false, attentionOutput: false, mlp: false },
    modules: {
      embedding: 'embedding',
      finalNorm: 'norm',
      head: 'head',
      attentionNorm: 'layers.#.attention_norm',
      queryKeyValue: { query: 'layers.#.query', key: 'layers.#.key', value: 'layers.#.value' },
      attentionOutput: 'layers.#.output',
      mlpNorm: 'layers.#.mlp_norm',
      gateUp: { form: 'gated', gate: 'layers.#.gate', up: 'layers.#.up' },
      down: 'layers.#.down',
    },
    transposedLinears: false,
  };
  manualSeed(seed);
  const normal = (deviation: number, ...shape: number[]): Tensor =>
    tidy(() => keep(ops.randn(shape, 'float64').mul(deviation).to(dtype)));
  const linear = (name: string, out: number, input: number): Linear =>
    new Linear(name, normal(1.5 / Math.sqrt(input), out, input), null);
  const norm = (name: string): Norm => ({
    name,
    weight: tidy(() => keep(ops.ones([hidden], dtype))),
    bias: null,
  });
  const block = (_: unknown, index: number): Block => {
    const named = (name: string): string => `layers.${index}.${name}`;
    return {
      attentionNorm: norm(named('attention_norm')),
      queryKeyValue: [
        linear(named('query'), heads * headSize, hidden),
        linear(named('key'), keyValueHeads * headSize, hidden),
        linear(named('value'), keyValueHeads * headSize, hidden),
      ],
      queryNorm: null,
      keyNorm: null,
      attentionOutput: linear(named('output'), hidden, heads * headSize),
      postAttentionNorm: null,
      mlpNorm: norm(named('mlp_norm')),
      gateUp: [
        linear(named('gate'), intermediate, hidden),
        linear(named('up'), intermediate, hidden),
      ],
      down: linear(named('down'), hidden, intermediate),
      postMlpNorm: null,
    };
  };
  const weights = {
    embedding: normal(1, vocabularySize, hidden),
    positions: null,
    blocks: Array.from({ length: layers }, block),
    finalNorm: norm('norm'),
    head: normal(sharpness, vocabularySize, hidden),
  };
  return new Decoder(config, weights, dtype);
}

/**
 * A decoder that always predicts the same distribution of the next token: logits are
 * log-probabilities [vocabulary]. Its one layer adds nothing, and all embeddings are the same.
 */
export function constantDecoder(logits: readonly number[]): Decoder {
  const decoder = tinyDecoder({ dtype: 'float32', layers: 1, vocabularySize: logits.length });
  tidy(() => {
    const { embedding, head, blocks } = decoder.weights;
    embedding.fill_(1);
    blocks[0]!.attentionOutput.weight.zero_();
    blocks[0]!.down.weight.zero_();
    // The state after the final norm is all ones.
    head.zero_();
    head.select(1, 0).copy_(fromTypedArray(Float32Array.from(logits)));
  });
  return decoder;
}

/** Ids 0 to 255 are bytes of UTF-8; 256 ends the turn and decodes to no text. */
export const byteTokenizer = {
  endOfTurnIds: new Set([endToken]),
  streamDecoder: (): StreamDecoder => createStreamDecoder(bytesToText),
};

export const bytesToText = (ids: readonly number[]): string =>
  new TextDecoder().decode(Uint8Array.from(ids.filter((id) => id < 256)));

export const textToBytes = (text: string): number[] => [...new TextEncoder().encode(text)];
