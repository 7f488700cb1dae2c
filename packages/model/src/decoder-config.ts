// What distinguishes one decoder-only language model from another. Each file in families/ makes one
// from a config.json.

/** Rotary position embedding of one layer (Su et al. 2021, arXiv:2104.09864). */
export interface RotaryConfig {
  /**
   * Radians a position, one for each pair of rotated features: [rotarySize / 2]. Scaling is already
   * in them.
   */
  inverseFrequencies: readonly number[];
  /** Factor on cosine and sine (long-context variants); 1 as a rule. */
  attentionFactor: number;
}

export interface LayerConfig {
  /** Keys a query sees, itself included; null: all before it. */
  window: number | null;
  /** null: no position embedding in this layer (SmolLM3's NoPE layers, GPT-2). */
  rotary: RotaryConfig | null;
}

export interface NormConfig {
  kind: 'rms' | 'layer';
  epsilon: number;
  /** Gemma stores weight - 1. */
  weightOffset: 0 | 1;
}

export type Activation = 'silu' | 'gelu' | 'gelu_tanh' | 'relu';

/** By place: whether its linear modules have a bias. */
export interface Biases {
  queryKeyValue: boolean;
  attentionOutput: boolean;
  mlp: boolean;
}

export interface DecoderConfig {
  /** config.json's model_type. */
  family: string;
  vocabularySize: number;
  hiddenSize: number;
  intermediateSize: number;
  heads: number;
  keyValueHeads: number;
  headSize: number;
  maxPositions: number;
  layers: readonly LayerConfig[];
  norm: NormConfig;
  /** Factor on q·k. */
  attentionScale: number;
  /** Scores pass through softcap * tanh(score / softcap) (Gemma 2). */
  attentionSoftcap: number | null;
  logitSoftcap: number | null;
  activation: Activation;
  /** Factor on the token embeddings (Gemma: sqrt(hidden), rounded to the model's type). */
  embeddingScale: number;
  tieEmbeddings: boolean;
  /** Which linear modules have a bias. */
  biases: Biases;
  /**
   * Token whose embedding takes no gradient where it is an input. Keel pads nothing; but
   * transformers leaves config.json's pad token untrained, also where it is a real token such as
   * the end of a turn, and full fine-tuning is to agree with it.
   */
  untrainedToken?: number | null;
  /**
   * Module names by place, as in the checkpoint; absent: the model has no such module. `#` is the
   * layer's number.
   */
  modules: ModuleNames;
  /** Linear weights are stored [in, out] (GPT-2's Conv1D). */
  transposedLinears: boolean;
}

/** Names as in the checkpoint and as PEFT targets them, without `.weight` and `.bias`. */
export interface ModuleNames {
  embedding: string;
  /** Learned positions (GPT-2). */
  positions?: string;
  finalNorm: string;
  /** Where the embeddings are not tied. */
  head: string;
  attentionNorm: string;
  /** One fused projection or three. */
  queryKeyValue: string | { query: string; key: string; value: string };
  queryNorm?: string;
  keyNorm?: string;
  attentionOutput: string;
  /** On the attention's result, before it is added (Gemma). */
  postAttentionNorm?: string;
  mlpNorm: string;
  /** One fused [gate; up], two, or an MLP without gate. */
  gateUp: string | { gate: string; up: string } | { up: string };
  down: string;
  postMlpNorm?: string;
}
