// What distinguishes one decoder-only language model from another. Each file in families/ makes one
// from a config.json.

/** Rotary position embedding of one layer (Su et al. 2021, arXiv:2104.09864). */
export interface RotaryConfig {
  /**
   * Radians per position, one for each pair of rotated features: [rotarySize / 2], scaling
   * included.
   */
  inverseFrequencies: readonly number[];
  /** Factor on cosine and sine (long-context variants), usually 1. */
  attentionFactor: number;
}

export interface LayerConfig {
  /** Number of keys that a query sees, itself included; null: all before it. */
  window: number | null;
  /** null: no position embedding in this layer (SmolLM3's NoPE layers, GPT-2). */
  rotary: RotaryConfig | null;
}

export interface NormConfig {
  kind: 'rms' | 'layer';
  epsilon: number;
  /** 1: the stored weights are weight - 1 (Gemma). */
  weightOffset: 0 | 1;
}

export type Activation = 'silu' | 'gelu' | 'gelu_tanh' | 'relu';

/** Which linear modules have a bias, by place. */
export interface Biases {
  queryKeyValue: boolean;
  attentionOutput: boolean;
  mlp: boolean;
}

/** Sizes, names and constants of a decoder-only model. */
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
  biases: Biases;
  /**
   * Token whose embedding gets no gradient where it is an input. Keel never pads, but transformers
   * leaves config.json's pad token untrained, even if that is a real token such as the end of a
   * turn. Full fine-tuning must match it.
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

/** The MLP's first projections: one fused [gate; up], two modules, or an MLP without a gate. */
export type GateUp =
  | { form: 'fused'; both: string }
  | { form: 'gated'; gate: string; up: string }
  | { form: 'ungated'; up: string };

/** Names as in the checkpoint and as PEFT targets them, without `.weight` and `.bias`. */
export interface ModuleNames {
  embedding: string;
  /** Learned positions (GPT-2). */
  positions?: string;
  finalNorm: string;
  /** The output head's name, if the embeddings are not tied. */
  head: string;
  attentionNorm: string;
  /** One fused projection or three. */
  queryKeyValue: string | { query: string; key: string; value: string };
  queryNorm?: string;
  keyNorm?: string;
  attentionOutput: string;
  /** Norm of the attention's result, before it is added (Gemma). */
  postAttentionNorm?: string;
  mlpNorm: string;
  gateUp: GateUp;
  down: string;
  postMlpNorm?: string;
}
