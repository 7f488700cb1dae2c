/** Lengths of the two answers of a pair, in any one unit (characters, words, tokens). */
export interface PairLengths {
  chosen: number;
  rejected: number;
}

/**
 * How often lengths alone distinguish the chosen answer from the rejected one, on held-out pairs.
 */
export interface LengthOnlyAccuracy {
  /** Predicts the longer (or the shorter) answer if lengths differ by more than a threshold. */
  threshold: number;
  /**
   * Logistic regression on the logarithm of the length and its square: also finds a preferred
   * middle length.
   */
  logistic: number;
}

/**
 * Fits two classifiers that see only lengths on training pairs and measures them on held-out pairs.
 * A pair that a classifier cannot decide counts one half, so a coin flip reaches 0.5. If either
 * reaches much more, lengths alone predict the label.
 *
 * @throws RangeError if either list is empty.
 */
export function lengthOnlyAccuracy(
  training: readonly PairLengths[],
  heldOut: readonly PairLengths[],
): LengthOnlyAccuracy {
  if (training.length === 0 || heldOut.length === 0) {
    throw new RangeError('a length classifier needs training pairs and held-out pairs');
  }
  return {
    threshold: accuracy(heldOut, fitThreshold(training)),
    logistic: accuracy(heldOut, fitLogistic(training)),
  };
}

/** Positive if the chosen answer is predicted; 0 if the pair cannot be decided. */
type Lead = (pair: PairLengths) => number;

function accuracy(pairs: readonly PairLengths[], lead: Lead): number {
  const right = pairs.map((pair) => {
    const size = lead(pair);
    return Math.abs(size) < 1e-12 ? 0.5 : size > 0 ? 1 : 0;
  });
  return right.reduce<number>((sum, value) => sum + value, 0) / pairs.length;
}

/** Tries every threshold, from the largest difference down, and both directions. */
function fitThreshold(pairs: readonly PairLengths[]): Lead {
  const differences = pairs
    .map(({ chosen, rejected }) => chosen - rejected)
    .sort((a, b) => Math.abs(b) - Math.abs(a));
  let best = { gain: 0, threshold: Number.POSITIVE_INFINITY, direction: 1 };
  let longer = 0;
  for (const [index, difference] of differences.entries()) {
    longer += Math.sign(difference);
    const threshold = Math.abs(differences[index + 1] ?? 0);
    if (threshold === Math.abs(difference)) continue;
    if (Math.abs(longer) >= best.gain) {
      best = { gain: Math.abs(longer), threshold, direction: longer < 0 ? -1 : 1 };
    }
  }
  return ({ chosen, rejected }) => {
    const difference = chosen - rejected;
    return Math.abs(difference) > best.threshold ? best.direction * difference : 0;
  };
}

/**
 * Newton's method on the logistic loss of w · (x(chosen) - x(rejected)), x = (log length, its
 * square), with slight weight decay, because separable pairs have no optimum without it.
 */
function fitLogistic(pairs: readonly PairLengths[]): Lead {
  const raw = pairs.map(features);
  const scale = [0, 1].map(
    (k) => Math.sqrt(raw.reduce((sum, x) => sum + x[k as 0 | 1] ** 2, 0) / raw.length) || 1,
  ) as [number, number];
  const decay = 1e-3;
  let [first, second] = [0, 0];
  for (let iteration = 0; iteration < 50; iteration++) {
    let [g1, g2] = [decay * first, decay * second];
    let [h11, h12, h22] = [decay, 0, decay];
    for (const x of raw) {
      const [x1, x2] = [x[0] / scale[0], x[1] / scale[1]];
      const wrong = 1 / (1 + Math.exp(first * x1 + second * x2));
      const weight = (wrong * (1 - wrong)) / raw.length;
      g1 -= (wrong * x1) / raw.length;
      g2 -= (wrong * x2) / raw.length;
      h11 += weight * x1 * x1;
      h12 += weight * x1 * x2;
      h22 += weight * x2 * x2;
    }
    const determinant = h11 * h22 - h12 * h12;
    const [step1, step2] = [
      (h22 * g1 - h12 * g2) / determinant,
      (h11 * g2 - h12 * g1) / determinant,
    ];
    // Far from the optimum a whole Newton step may overshoot.
    const shrink = Math.min(1, 2 / Math.hypot(step1, step2));
    first -= shrink * step1;
    second -= shrink * step2;
    if (Math.hypot(step1, step2) < 1e-10) break;
  }
  return (pair) => {
    const x = features(pair);
    return (first * x[0]) / scale[0] + (second * x[1]) / scale[1];
  };
}

function features({ chosen, rejected }: PairLengths): [number, number] {
  const [a, b] = [Math.log1p(chosen), Math.log1p(rejected)];
  return [a - b, a * a - b * b];
}
