// From logits to tokens. The order and the meaning of the options are as in transformers:
// repetition penalty, constraints, temperature, top-k, top-p, min-p.
import { fromTypedArray, ops, type Tensor } from '@keel/torch';

export interface SamplingOptions {
  /** Divides the logits; 0: always the most likely token (default: 1). */
  temperature?: number;
  /**
   * Keeps only the k most likely tokens, and any that tie with the last of them; 0: all (default:
   * 0).
   */
  topK?: number;
  /**
   * Keeps the fewest tokens whose total probability is at least this (Holtzman et al. 2020); 1: all
   * (default: 1).
   */
  topP?: number;
  /** Keeps only tokens with at least this share of the highest probability; 0: all (default: 0). */
  minP?: number;
  /**
   * Divides positive and multiplies negative logits of tokens in prompt and completion (Keskar et
   * al. 2019) (default: 1).
   */
  repetitionPenalty?: number;
}

/** Numbers that are added to logits, before the temperature. */
export interface BiasOptions {
  /** Subtracted from the logits of tokens in the completion (default: 0). */
  presencePenalty?: number;
  /** Subtracted from them as often as the completion contains them (default: 0). */
  frequencyPenalty?: number;
  /** Added to the logits of these tokens. */
  logitBias?: ReadonlyMap<number, number>;
}

/** @throws RangeError naming the option that is not finite */
export function checkBias(options: BiasOptions): Required<BiasOptions> {
  const { presencePenalty = 0, frequencyPenalty = 0, logitBias = new Map() } = options;
  for (const [name, value] of Object.entries({ presencePenalty, frequencyPenalty })) {
    if (!Number.isFinite(value)) throw new RangeError(`${name} must be a number, got ${value}`);
  }
  for (const [token, bias] of logitBias) {
    if (!Number.isFinite(bias)) {
      throw new RangeError(`logitBias must have a number for token ${token}, got ${bias}`);
    }
  }
  return { presencePenalty, frequencyPenalty, logitBias };
}

/**
 * What the options add to each token's logit.
 * @param tokens the completion so far
 */
export function biasesFor(
  tokens: readonly number[],
  { presencePenalty, frequencyPenalty, logitBias }: Required<BiasOptions>,
): ReadonlyMap<number, number> {
  if (presencePenalty === 0 && frequencyPenalty === 0) return logitBias;
  const biases = new Map<number, number>();
  for (const token of tokens) {
    biases.set(token, (biases.get(token) ?? -presencePenalty) - frequencyPenalty);
  }
  for (const [token, bias] of logitBias) biases.set(token, (biases.get(token) ?? 0) + bias);
  return biases;
}

/**
 * Adds a number to some logits of each row: [B, vocabulary] -> the same.
 * @param biases for each row
 */
export function addBiases(logits: Tensor, biases: readonly ReadonlyMap<number, number>[]): Tensor {
  const size = logits.dim(1);
  const places = biases.flatMap((row, at) =>
    [...row.keys()].map((token) => BigInt(at * size + token)),
  );
  if (places.length === 0) return logits;
  const { device } = logits;
  const index = fromTypedArray(BigInt64Array.from(places), [places.length], { device });
  const values = Float32Array.from(biases.flatMap((row) => [...row.values()]));
  const added = fromTypedArray(values, [places.length], { device });
  return ops.scatterAdd(logits.reshape(-1), 0, index, added.to(logits.dtype)).view(-1, size);
}

/** @throws RangeError naming the option that is out of range */
export function checkSampling(options: SamplingOptions): Required<SamplingOptions> {
  const { temperature = 1, topK = 0, topP = 1, minP = 0, repetitionPenalty = 1 } = options;
  const demand = (holds: boolean, name: string, wanted: string, given: number): void => {
    if (!holds) throw new RangeError(`${name} must be ${wanted}, got ${given}`);
  };
  demand(
    temperature >= 0 && Number.isFinite(temperature),
    'temperature',
    'a number of at least 0',
    temperature,
  );
  demand(
    Number.isInteger(topK) && topK >= 0,
    'topK',
    'a whole number of at least 0 (0: all tokens)',
    topK,
  );
  demand(topP > 0 && topP <= 1, 'topP', 'above 0 and at most 1', topP);
  demand(minP >= 0 && minP <= 1, 'minP', 'from 0 to 1', minP);
  demand(
    repetitionPenalty > 0 && Number.isFinite(repetitionPenalty),
    'repetitionPenalty',
    'a number above 0 (1: none)',
    repetitionPenalty,
  );
  return { temperature, topK, topP, minP, repetitionPenalty };
}

const nothing = Number.NEGATIVE_INFINITY;

/**
 * Makes tokens that have already occurred less likely.
 * @param logits [B, vocabulary]
 * @param seen for each row, the tokens of prompt and completion
 */
export function penaliseRepetition(
  logits: Tensor,
  seen: readonly Iterable<number>[],
  penalty: number,
): Tensor {
  const size = logits.dim(1);
  const places: bigint[] = [];
  for (const [row, tokens] of seen.entries()) {
    for (const token of new Set(tokens)) places.push(BigInt(row * size + token));
  }
  if (places.length === 0) return logits;
  const index = fromTypedArray(BigInt64Array.from(places), [places.length], {
    device: logits.device,
  });
  const flat = logits.reshape(-1);
  const chosen = flat.gather(0, index);
  const penalised = ops.whereSelf(chosen.lt(0), chosen.mul(penalty), chosen.div(penalty));
  return ops.scatterSrc(flat, 0, index, penalised).view(-1, size);
}

/** Sets the logits of these tokens in these rows of [B, vocabulary] to -Infinity, in place. */
export function ruleOut(
  logits: Tensor,
  rows: readonly number[],
  tokens: ReadonlySet<number>,
): void {
  for (const row of rows) {
    const own = logits.select(0, row); // [vocabulary]
    for (const token of tokens) own.narrow(0, token, 1).fill_(nothing);
  }
}

/** Sets logits of tokens less likely than the k-th to -Infinity: [B, vocabulary] -> the same. */
export function keepTopK(logits: Tensor, k: number): Tensor {
  if (k >= logits.dim(1)) return logits;
  const [best] = ops.topk(logits, k, 1); // [B, k], descending
  return logits.maskedFill(logits.lt(best.narrow(1, k - 1, 1)), nothing);
}

/**
 * Sets logits outside the smallest set with at least this probability to -Infinity: [B, vocabulary]
 * -> the same.
 */
export function keepTopP(logits: Tensor, p: number): Tensor {
  const size = logits.dim(1);
  const normaliser = ops.logsumexp(logits, [1], true); // [B, 1]
  // The set is usually small, so the whole vocabulary is sorted only as a last resort.
  for (let count = Math.min(256, size); ; count = Math.min(size, count * 8)) {
    const [values, indices] = ops.topk(logits, count, 1); // [B, count], descending
    const probabilities = values.sub(normaliser).to('float64').exp();
    const upTo = probabilities.cumsum(1);
    if (
      count < size &&
      upTo
        .narrow(1, count - 1, 1)
        .lt(p)
        .any()
    )
      continue;
    const inside = upTo.sub(probabilities).lt(p);
    const kept = values.maskedFill(inside.logicalNot(), nothing);
    return ops.scatterSrc(ops.fullLike(logits, nothing), 1, indices, kept);
  }
}

/**
 * Sets logits of tokens with less than p times the highest probability to -Infinity: [B,
 * vocabulary] -> the same.
 */
export function keepMinP(logits: Tensor, p: number): Tensor {
  const border = ops.amax(logits, [1], true).add(Math.log(p)); // [B, 1]
  return logits.maskedFill(logits.lt(border), nothing);
}

/**
 * Applies a temperature above 0 and the filters: logits of the distribution that tokens are drawn
 * from.
 */
export function shapeDistribution(logits: Tensor, options: Required<SamplingOptions>): Tensor {
  let shaped = options.temperature === 1 ? logits : logits.div(options.temperature);
  if (options.topK > 0) shaped = keepTopK(shaped, options.topK);
  if (options.topP < 1) shaped = keepTopP(shaped, options.topP);
  if (options.minP > 0) shaped = keepMinP(shaped, options.minP);
  return shaped;
}
