import { fromTypedArray, ops, readTogether, type Tensor } from '@keel/torch';

export interface Draw {
  token: number;
  /** Natural logarithm of the token's probability in the distribution it was drawn from. */
  logprob: number;
}

/**
 * Number of tokens whose probabilities are summed at a time, before any is looked at individually.
 */
const chunk = 256;

function demandUsable(highest: readonly number[] | Float64Array): void {
  const row = highest.findIndex((value) => !Number.isFinite(value));
  if (row < 0) return;
  const what =
    highest[row] === Number.NEGATIVE_INFINITY
      ? 'a logits processor or a bias ruled out every token that could follow'
      : `the largest logit is ${highest[row]}. The model or a logits processor returned unusable numbers`;
  throw new Error(`no token can be chosen for row ${row}: ${what}`);
}

/**
 * Both drawing methods as one operator, if there is one. It reads each row only twice, and writes
 * no tensor of that length.
 */
function drawAtOnce(logits: Tensor, uniforms: readonly number[], temperature: number): Draw[] {
  const numbers = fromTypedArray(Float64Array.from(uniforms), [uniforms.length]);
  const [tokens, logprobs, highest] = ops.draw(logits, numbers, temperature);
  demandUsable(highest.toTypedArray() as Float64Array);
  const chances = logprobs.toArray();
  return tokens.toArray().map((token, row) => ({ token, logprob: chances[row]! }));
}
const canDrawAtOnce = (logits: Tensor): boolean =>
  logits.device === 'cpu' && logits.dtype === 'float32';

/**
 * The most likely token of each row; the first one if several are equal.
 * @param logits [B, vocabulary] float32
 * @throws Error if a row's largest logit is not finite
 */
export function drawGreedily(logits: Tensor): Draw[] {
  if (canDrawAtOnce(logits)) return drawAtOnce(logits, new Array(logits.dim(0)).fill(0), 0);
  return drawGreedilyComposed(logits);
}

/** {@link drawGreedily} on any device. */
export function drawGreedilyComposed(logits: Tensor): Draw[] {
  const highest = ops.amax(logits, [1]); // [B]
  const logprobs = highest.sub(logits.logsumexp(1)); // [B]
  const read = readTogether({ highest, logprobs, tokens: logits.argmax(1) });
  demandUsable(read.highest);
  return read.tokens.map((token, row) => ({ token, logprob: read.logprobs[row]! }));
}

/**
 * Draws a token for each row by the inverse of the distribution function: the first token at which
 * the cumulative probability exceeds the row's number. Sums run chunk by chunk, so that no row is
 * cumulated as a whole.
 * @param logits [B, vocabulary] float32
 * @param uniforms a number in [0, 1) for each row
 * @param temperature divides the logits
 * @throws Error if a row's largest logit is not finite
 */
export function drawByUniform(
  logits: Tensor,
  uniforms: readonly number[],
  temperature = 1,
): Draw[] {
  if (canDrawAtOnce(logits)) return drawAtOnce(logits, uniforms, temperature);
  return drawByUniformComposed(temperature === 1 ? logits : logits.div(temperature), uniforms);
}

/** {@link drawByUniform} on any device. */
export function drawByUniformComposed(logits: Tensor, uniforms: readonly number[]): Draw[] {
  const [rows, size] = logits.shape as [number, number];
  const highest = ops.amax(logits, [1], true); // [B, 1]
  const weights = logits.sub(highest).exp(); // [B, vocabulary]
  const whole = size - (size % chunk);
  const read = readTogether({
    highest,
    sums:
      whole > 0
        ? weights
            .narrow(1, 0, whole)
            .view(rows, whole / chunk, chunk)
            .sum(-1)
        : null,
    rest: whole < size ? weights.narrow(1, whole, size - whole).sum(1, true) : null,
  });
  demandUsable(read.highest);
  const sums = [read.sums, read.rest].filter((part) => part !== null);

  const totals = new Float64Array(rows);
  const rests = new Float64Array(rows);
  const starts = uniforms.map((uniform, row) => {
    const chunks = sums.flatMap((part) =>
      part.slice((row * part.length) / rows, ((row + 1) * part.length) / rows),
    );
    const total = chunks.reduce((sum, one) => sum + one, 0);
    let rest = uniform * total;
    // Rounding may carry past the end. Then the last chunk with any weight is used.
    let at = 0;
    for (
      const last = chunks.findLastIndex((sum) => sum > 0);
      at < last && rest >= chunks[at]!;
      at++
    )
      rest -= chunks[at]!;
    totals[row] = total;
    rests[row] = rest;
    return at * chunk;
  });

  const { device } = logits;
  const first = fromTypedArray(BigInt64Array.from(starts, BigInt), [rows, 1], { device });
  const index = first.add(ops.arange(chunk, 'int64', device)).clamp(null, size - 1); // [B, chunk]
  const near = weights.gather(1, index).toTypedArray() as Float32Array;
  return starts.map((start, row) => {
    const own = near.subarray(row * chunk, row * chunk + Math.min(chunk, size - start));
    const last = own.findLastIndex((weight) => weight > 0);
    let rest = rests[row]!;
    let at = 0;
    for (; at < last && rest >= own[at]!; at++) rest -= own[at]!;
    return { token: start + at, logprob: Math.log(own[at]! / totals[row]!) };
  });
}
