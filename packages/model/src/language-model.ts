import {
  atOnce,
  type Device,
  fromTypedArray,
  ops,
  phase,
  type Recomputation,
  type Steps,
  type Tensor,
  within,
} from '@keel/torch';
import { adaptedLayers } from './adapters/lora.ts';
import { SegmentAttention } from './attention.ts';
import type { Decoder } from './decoder.ts';
import { embeddingNoise } from './embedding-noise.ts';
import { entropyWithGradient } from './heads/entropy-gradient.ts';
import { headScores } from './heads/score-head.ts';
import { disposeDecoder } from './loading/named-weights.ts';
import { allFinite, refuseNonFiniteWeights } from './loading/non-finite.ts';
import { logCollision } from './log-collision.ts';
import type { PackedBatch } from './packed-batch.ts';
import type { Tokenizer } from './tokenizer/tokenizer.ts';

/** Which hidden states of a packed batch predict which tokens. */
export interface ScoredTokens {
  /** [N]: index in the batch of the token before the predicted one */
  rows: Int32Array;
  /** [N]: the predicted token */
  targets: Int32Array;
}

/** What the model says of the scored tokens; all [N], float32 or wider. */
export interface TokenScores {
  /** log p(target | what came before); carries the gradient */
  logprobs: Tensor;
  /** entropy of the next token's distribution, in nats */
  entropy: Tensor;
  /** int64: the most likely token */
  argmax: Tensor;
  /**
   * log of the sum over v of p(v)^2, without gradient; where {@link PassOptions.collision} asks for
   * it
   */
  collision?: Tensor;
}

export interface PassOptions {
  /** Dropout is on. */
  training?: boolean;
  /** alpha of NEFTune's noise on the embeddings; null: none. */
  embeddingNoise?: number | null;
  /** Logits are divided by it, as a sampler at this temperature does. Default 1. */
  temperature?: number;
  /**
   * The entropy carries a gradient too, but none to the head: for a frozen one. Computed a second
   * time, and more slowly.
   */
  entropyGradient?: boolean;
  /** Blocks are computed again in its backward: call that and not the loss's own. */
  recomputation?: Recomputation | null;
  /**
   * Scored tokens come with their `collision`, for which the head's product is formed once more.
   */
  collision?: boolean;
}

/** What a pass reads beside hidden states. */
export interface HeadScores {
  /** [N, K], float32 or wider: scores of each row by each head; carries the gradient */
  scores: Tensor;
  /** null where no tokens were scored */
  tokens: TokenScores | null;
}

/**
 * Rows of the chunk in which log-probabilities are computed: [chunk, vocabulary] float32 is what is
 * held at a time.
 */
const LOGPROB_CHUNK = 256;

/** Roles that adapters on one base play. `reference` is the base with none. */
export type Role = 'reference' | (string & {});

/**
 * One base model with its tokenizer and the roles on it. The only way to choose a role is {@link
 * as}, so that none leaks into another.
 */
export class LanguageModel {
  readonly decoder: Decoder;
  readonly tokenizer: Tokenizer;
  readonly device: Device;
  /** config.json of the base, as transformers writes it. */
  readonly configJson: Record<string, unknown>;
  /** Text of the base's generation_config.json; null where there is none. */
  readonly generationConfig: string | null;
  /** What it was loaded from, as the user named it. */
  readonly name: string;
  /** SHA-256, in hex, of the files that the weights were read from. */
  readonly hash: () => Promise<string>;
  readonly #heads = new Map<Role, Tensor>();
  #role: Role;

  constructor(parts: {
    decoder: Decoder;
    tokenizer: Tokenizer;
    device: Device;
    configJson: Record<string, unknown>;
    generationConfig?: string | null;
    name: string;
    hash(): Promise<string>;
  }) {
    this.decoder = parts.decoder;
    this.tokenizer = parts.tokenizer;
    this.device = parts.device;
    this.configJson = parts.configJson;
    this.generationConfig = parts.generationConfig ?? null;
    this.name = parts.name;
    this.hash = () => parts.hash();
    this.#role = 'reference';
  }

  /** Frees the weights, the adapters and the heads. */
  dispose(): void {
    disposeDecoder(this.decoder);
    for (const head of this.#heads.values()) head.dispose();
    this.#heads.clear();
  }

  /**
   * Gives a role a scalar head, which is the model's own from then on.
   * @param weight [K, hidden] float32; see `newScoreHead`
   * @throws RangeError when the role has one, or the weight does not fit the model
   */
  addScoreHead(role: Role, weight: Tensor): void {
    const { hiddenSize } = this.decoder.config;
    if (this.#heads.has(role)) throw new RangeError(`the role "${role}" has a scalar head already`);
    if (weight.shape.length !== 2 || weight.dim(1) !== hiddenSize) {
      throw new RangeError(
        `a scalar head of this model is [heads, ${hiddenSize}], this one is [${weight.shape.join(', ')}]: it is of another model`,
      );
    }
    this.#heads.set(role, weight);
  }

  /**
   * The scalar head of a role, [K, hidden].
   * @throws RangeError where it has none
   */
  scoreHead(role: Role): Tensor {
    const head = this.#heads.get(role);
    if (head !== undefined) return head;
    const names = [...this.#heads.keys()];
    throw new RangeError(
      `the role "${role}" has no scalar head; ${names.length === 0 ? 'no role of this model has one' : `those with one are ${names.join(', ')}`}`,
    );
  }

  /** Whether a role has a scalar head. */
  hasScoreHead(role: Role): boolean {
    return this.#heads.has(role);
  }

  /** Roles whose first numbers were looked at. */
  readonly #checked = new Set<Role>();

  /** Adapter of the role that is on, or null for the base alone. */
  get activeAdapter(): string | null {
    return this.#role === 'reference' ? null : this.#role;
  }

  /**
   * Runs `body` with the adapter of this name laid over the base; `reference` lays none.
   * Synchronous only.
   * @throws RangeError naming the adapters that exist when there is none of this name;
   * Error when the body returns a promise: the role would leak into what runs meanwhile
   */
  as<T>(role: Role, body: () => T): T {
    const leave = this.#enter(role);
    try {
      const result = body();
      if (result instanceof Promise) {
        result.catch(() => {});
        throw new Error(
          'LanguageModel.as() takes a synchronous function; this one returned a promise',
        );
      }
      return result;
    } finally {
      leave();
    }
  }

  /** As {@link as}, for work in steps: in the pauses the role is what it was. */
  asSteps<T>(role: Role, steps: Steps<T>): Steps<T> {
    return within(() => this.#enter(role), steps);
  }

  /** @returns what takes the role off again */
  #enter(role: Role): () => void {
    // A layer without the adapter computes as the base does, so a wrong name would go unseen.
    if (role !== 'reference') adaptedLayers(this.decoder, role);
    const before = this.#role;
    this.#role = role;
    return () => {
      this.#role = before;
    };
  }

  /** Hidden states of every token, [T, hidden], in the role that is on. */
  hidden(batch: PackedBatch, options: PassOptions = {}): Tensor {
    return atOnce(this.#hiddenSteps(batch, options));
  }

  #hiddenSteps(batch: PackedBatch, options: PassOptions): Steps<Tensor> {
    const { embeddingNoise: alpha = null, collision: _, ...others } = options;
    const tokens = fromTypedArray(batch.tokens).to({ dtype: 'int64', device: this.device }); // [T]
    return this.decoder.hiddenSteps(tokens, batch.positions, new SegmentAttention(batch), {
      ...others,
      adapter: this.activeAdapter,
      embeddingNoise:
        alpha === null ? undefined : (embeddings) => embeddingNoise(batch, alpha, embeddings),
    });
  }

  /**
   * Log-probabilities of the scored tokens only: no [T, vocabulary] array is ever made.
   * @throws RangeError when nothing is scored
   */
  scoreTokens(batch: PackedBatch, scored: ScoredTokens, options: PassOptions = {}): TokenScores {
    return atOnce(this.scoreTokensSteps(batch, scored, options));
  }

  /** As {@link scoreTokens}, with a pause after every block of the decoder. */
  *scoreTokensSteps(
    batch: PackedBatch,
    scored: ScoredTokens,
    options: PassOptions = {},
  ): Steps<TokenScores> {
    if (scored.rows.length === 0) throw new RangeError('no token of the batch is scored');
    return this.#tokenScores(yield* this.#hiddenSteps(batch, options), scored, options);
  }

  /**
   * What the scalar head of the role that is on says of some tokens' hidden states. Run it in
   * {@link asSteps}.
   * @param rows [N]: indices in the batch of the tokens that are read
   * @param scored tokens whose log-probabilities the same pass gives
   * @throws RangeError when nothing is read, or the role has no head
   */
  *readHeadSteps(
    batch: PackedBatch,
    rows: Int32Array,
    { scored = null, ...options }: PassOptions & { scored?: ScoredTokens | null } = {},
  ): Steps<HeadScores> {
    if (rows.length === 0) throw new RangeError('no token of the batch is read');
    const head = this.scoreHead(this.#role); // [K, hidden]
    const hidden = yield* this.#hiddenSteps(batch, options); // [T, hidden]
    const index = fromTypedArray(rows).to({ dtype: 'int64', device: this.device });
    const scores = headScores(hidden.indexSelect(0, index), head); // [N, K]
    this.#checkFirst(scores);
    const none = scored === null || scored.rows.length === 0;
    return { scores, tokens: none ? null : this.#tokenScores(hidden, scored, options) };
  }

  /**
   * The first numbers of each role: a training that diverges later is another matter, and told
   * where it happens.
   */
  #checkFirst(values: Tensor): void {
    if (this.#checked.has(this.#role)) return;
    this.#checked.add(this.#role);
    if (!allFinite(values)) this.explainNonFinite();
  }

  /**
   * To be called where what was computed is NaN or infinite.
   * @throws CheckpointError naming the weight at fault, always
   */
  explainNonFinite(): never {
    refuseNonFiniteWeights(this.decoder, this.name, this.activeAdapter);
  }

  /** @param hidden [T, hidden] */
  #tokenScores(
    hidden: Tensor,
    { rows, targets }: ScoredTokens,
    { recomputation, temperature = 1, entropyGradient = false, collision = false }: PassOptions,
  ): TokenScores {
    const index = fromTypedArray(rows).to({ dtype: 'int64', device: this.device });
    const predicted = fromTypedArray(targets).to({ dtype: 'int64', device: this.device });
    const states = hidden.indexSelect(0, index); // [N, hidden]
    const { weights } = this.decoder;
    // A tied head is used below the blocks too.
    const tied = weights.head === weights.embedding;
    const head = (tied && recomputation?.standIn(weights.head)) || weights.head;
    const weight = head.dtype === states.dtype ? head : head.to(states.dtype);
    const scale = 1 / temperature;
    // The cap comes before the temperature: c tanh(x / c) / T = (c / T) tanh((x / T) / (c / T)).
    const softcap = (this.decoder.config.logitSoftcap ?? 0) * scale;
    const [logprobs, , entropy, argmax] = phase('log-probs', () =>
      ops.linearLogprob(states, weight, predicted, scale, softcap, LOGPROB_CHUNK),
    );
    const shape = { scale, softcap, chunk: LOGPROB_CHUNK };
    this.#checkFirst(logprobs);
    const scores = {
      logprobs,
      entropy: entropyGradient ? entropyWithGradient(states, weight, entropy, shape) : entropy,
      argmax,
    };
    if (!collision) return scores;
    const cap = this.decoder.config.logitSoftcap ?? 0;
    return { ...scores, collision: logCollision(states.detach(), weight.detach(), cap) };
  }
}
