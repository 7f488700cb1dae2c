import {
  atOnce,
  type Device,
  type DividedTensors,
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
import { unitsOf } from './divided-weights.ts';
import { embeddingNoise } from './embedding-noise.ts';
import { entropyWithGradient } from './heads/entropy-gradient.ts';
import { headScores } from './heads/score-head.ts';
import { type BasePrecision, elementsOf } from './loading/base-weights.ts';
import { disposeDecoder } from './loading/named-weights.ts';
import { allFinite, refuseNonFiniteWeights } from './loading/non-finite.ts';
import type { StoredWeights } from './loading/stored-weights.ts';
import { logCollision } from './log-collision.ts';
import type { PackedBatch } from './packed-batch.ts';
import type { Tokenizer } from './tokenizer/tokenizer.ts';

/** Which hidden states of a packed batch predict which tokens. */
export interface ScoredTokens {
  /** [N]: index in the batch of the token before the predicted one */
  rows: Int32Array;
  /** [N]: the predicted token */
  targets: Int32Array;
  /**
   * [N, ceil(vocabulary / 32)]: the tokens that each prediction may choose from, as a bit t % 32 of
   * word t / 32 (default: all). Log-probabilities, entropies and their gradients are those of the
   * distribution over these tokens; the mask is applied to the logits, before the temperature.
   */
  allowed?: Int32Array;
}

/** The model's predictions for the scored tokens; all [N], float32 or wider. */
export interface TokenScores {
  /** log p(target | preceding tokens); carries the gradient */
  logprobs: Tensor;
  /** entropy of the next token's distribution, in nats */
  entropy: Tensor;
  /** int64: the most likely token */
  argmax: Tensor;
  /**
   * log of the sum over v of p(v)^2, without gradient; present if {@link PassOptions.collision} is
   * set
   */
  collision?: Tensor;
}

/** What a forward pass computes besides log-probabilities. */
export interface PassOptions {
  /** Turns dropout on. */
  training?: boolean;
  /** alpha of NEFTune's noise on the embeddings; null: no noise. */
  embeddingNoise?: number | null;
  /** Divides the logits, as a sampler does at this temperature (default: 1). */
  temperature?: number;
  /**
   * The entropy carries a gradient too, but none to the head, which must be frozen. It is slower,
   * because the entropy is computed twice.
   */
  entropyGradient?: boolean;
  /** Recomputes blocks in backward: call its `backward`, not the loss's own. */
  recomputation?: Recomputation | null;
  /** Also returns the scored tokens' `collision`, at the cost of one more product with the head. */
  collision?: boolean;
}

/** What a pass reads from hidden states. */
export interface HeadScores {
  /** [N, K], float32 or wider: scores of each row by each head; carries the gradient */
  scores: Tensor;
  /** null if no tokens were scored */
  tokens: TokenScores | null;
}

/**
 * Number of rows in each chunk of the log-probability computation, which holds [chunk, vocabulary]
 * float32 at a time.
 */
const LOGPROB_CHUNK = 256;

/** Role of an adapter on the base. `reference` is the base without an adapter. */
export type Role = 'reference' | (string & {});

/**
 * One base model with its tokenizer and its roles. {@link as} is the only way to choose a role, so
 * that none leaks into other work.
 */
export class LanguageModel {
  readonly decoder: Decoder;
  readonly tokenizer: Tokenizer;
  readonly device: Device;
  /** config.json of the base, as transformers writes it. */
  readonly configJson: Record<string, unknown>;
  /** The base's generation_config.json as text; null if there is none. */
  readonly generationConfig: string | null;
  /** The name that it was loaded from, as the user wrote it. */
  readonly name: string;
  /** How its files store the weights; null if it was not loaded from files. */
  readonly stored: StoredWeights | null;
  /** How its frozen matrices are held; null: in the type of products. */
  readonly basePrecision: BasePrecision | null;
  /** SHA-256, in hex, of the weight files. */
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
    stored?: StoredWeights;
    basePrecision?: BasePrecision | null;
    hash(): Promise<string>;
  }) {
    this.decoder = parts.decoder;
    this.tokenizer = parts.tokenizer;
    this.device = parts.device;
    this.configJson = parts.configJson;
    this.generationConfig = parts.generationConfig ?? null;
    this.name = parts.name;
    this.stored = parts.stored ?? null;
    this.basePrecision = parts.basePrecision ?? null;
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
   * Gives a role a scalar head, which the model then owns.
   * @param weight [K, hidden] float32; see `newScoreHead`
   * @throws RangeError if the role has one, or the weight does not fit the model
   */
  addScoreHead(role: Role, weight: Tensor): void {
    const { hiddenSize } = this.decoder.config;
    if (this.#heads.has(role)) throw new RangeError(`the role "${role}" already has a scalar head`);
    if (weight.shape.length !== 2 || weight.dim(1) !== hiddenSize) {
      throw new RangeError(
        `the scalar head has shape [${weight.shape.join(', ')}], but this model needs [heads, ${hiddenSize}]: it belongs to another model`,
      );
    }
    this.#heads.set(role, weight);
  }

  /**
   * The scalar head of a role, [K, hidden].
   * @throws RangeError if it has none
   */
  scoreHead(role: Role): Tensor {
    const head = this.#heads.get(role);
    if (head !== undefined) return head;
    const names = [...this.#heads.keys()];
    throw new RangeError(
      `the role "${role}" has no scalar head; ${names.length === 0 ? 'no role of this model has one' : `roles with one: ${names.join(', ')}`}`,
    );
  }

  /** Whether a role has a scalar head. */
  hasScoreHead(role: Role): boolean {
    return this.#heads.has(role);
  }

  /** Roles whose first results were checked. */
  readonly #checked = new Set<Role>();

  /** The current role's adapter; null for the base alone. */
  get activeAdapter(): string | null {
    return this.#role === 'reference' ? null : this.#role;
  }

  /**
   * Runs `body` with the adapter of this name applied to the base; `reference` applies none.
   * Synchronous only.
   * @throws RangeError naming the existing adapters if there is none of this name; Error if the
   *   body returns a promise, since the role would leak into what runs meanwhile
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

  /** As {@link as}, for work in steps: during the pauses the previous role is active. */
  asSteps<T>(role: Role, steps: Steps<T>): Steps<T> {
    return within(() => this.#enter(role), steps);
  }

  /** @returns a function that restores the previous role */
  #enter(role: Role): () => void {
    // A layer without the adapter computes as the base does, so a wrong name would go unnoticed.
    if (role !== 'reference') adaptedLayers(this.decoder, role);
    const before = this.#role;
    this.#role = role;
    return () => {
      this.#role = before;
    };
  }

  /** Hidden states of all tokens, [T, hidden], in the current role. */
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
   * Log-probabilities of the scored tokens only. It never creates a [T, vocabulary] tensor.
   * @throws RangeError if no tokens are scored
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
    return yield* this.#tokenScores(yield* this.#hiddenSteps(batch, options), scored, options);
  }

  /**
   * Applies the current role's scalar head to the hidden states of some tokens. Run it in {@link
   * asSteps}.
   * @param rows [N]: indices in the batch of the tokens to read
   * @param scored tokens whose log-probabilities are computed in the same pass
   * @throws RangeError if no tokens are read, or the role has no head
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
    return { scores, tokens: none ? null : yield* this.#tokenScores(hidden, scored, options) };
  }

  /**
   * Checks each role's first results only. A training run that diverges later is reported where
   * that happens.
   */
  #checkFirst(values: Tensor): void {
    if (this.#checked.has(this.#role)) return;
    this.#checked.add(this.#role);
    if (!allFinite(values)) this.explainNonFinite();
  }

  /**
   * Call this when a result is NaN or infinite.
   * @throws CheckpointError naming the weight at fault, always
   */
  explainNonFinite(): never {
    refuseNonFiniteWeights(this.decoder, this.name, this.activeAdapter);
  }

  /**
   * Runs `body` with all weights in this process. Without it, weights that processes divide are
   * here only while a pass in steps needs them. All of the processes wait for each other in it.
   */
  async whole<T>(body: () => Promise<T>): Promise<T> {
    const { divided } = this.decoder;
    const held: DividedTensors[] = [];
    try {
      for (const unit of divided === null ? [] : unitsOf(divided)) {
        await unit.gather();
        held.push(unit);
      }
      return await body();
    } finally {
      for (const unit of held) unit.release();
    }
  }

  /** @param hidden [T, hidden] */
  *#tokenScores(hidden: Tensor, scored: ScoredTokens, options: PassOptions): Steps<TokenScores> {
    const { divided } = this.decoder;
    if (divided === null) return this.#scoresOf(hidden, scored, options);
    const head = divided.head ?? divided.embedding;
    yield* head.hold();
    const scores = this.#scoresOf(hidden, scored, options);
    if (options.recomputation) options.recomputation.holdAbove(head);
    else head.release();
    return scores;
  }

  /** @param hidden [T, hidden] */
  #scoresOf(
    hidden: Tensor,
    { rows, targets, allowed: words }: ScoredTokens,
    { recomputation, temperature = 1, entropyGradient = false, collision = false }: PassOptions,
  ): TokenScores {
    const index = fromTypedArray(rows).to({ dtype: 'int64', device: this.device });
    const predicted = fromTypedArray(targets).to({ dtype: 'int64', device: this.device });
    const states = hidden.indexSelect(0, index); // [N, hidden]
    const allowed = words
      ? fromTypedArray(words, [rows.length, words.length / rows.length]).to({ device: this.device })
      : null; // [N, words]
    const { weights } = this.decoder;
    // The blocks use a tied head's weight too, as the embedding.
    const tied = weights.head === weights.embedding;
    const head = (tied && recomputation?.standIn(weights.head)) || weights.head;
    const weight = head.dtype === states.dtype ? head : head.to(states.dtype);
    const scale = 1 / temperature;
    // The cap is applied before the temperature: c tanh(x / c) / T = (c / T) tanh((x / T) / (c /
    // T)).
    const softcap = (this.decoder.config.logitSoftcap ?? 0) * scale;
    const [logprobs, , entropy, argmax] = phase('log-probs', () =>
      ops.linearLogprob(states, weight, predicted, scale, softcap, LOGPROB_CHUNK, allowed),
    );
    const shape = { scale, softcap, chunk: LOGPROB_CHUNK, allowed };
    this.#checkFirst(logprobs);
    const scores = {
      logprobs,
      entropy: entropyGradient
        ? entropyWithGradient(states, elementsOf(weight), entropy, shape)
        : entropy,
      argmax,
    };
    if (!collision) return scores;
    const cap = this.decoder.config.logitSoftcap ?? 0;
    return {
      ...scores,
      collision: logCollision(states.detach(), elementsOf(weight).detach(), cap, allowed),
    };
  }
}
