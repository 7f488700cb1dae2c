// Measures how well a reward model's probabilities are calibrated. For a pair it predicts P(chosen
// beats rejected) = s(gap), gap = r_chosen - r_rejected (Bradley-Terry). If the chosen answer
// always came first, every label would be "first wins", and a model that always predicts 1 would
// look calibrated. The order of the answers is arbitrary, so the prediction is for the answer that
// the model prefers. Its confidence is s(|gap|), from 0.5 to 1, and it is right if that answer is
// the chosen one. This equals entering each pair in both orders, (s(gap), won) and (s(-gap), lost),
// with a diagram that is symmetric about (0.5, 0.5). But it counts each pair once, so the intervals
// are for the actual number of pairs. A gap of 0 counts as half right.
//
// A label may be uncertain: chosen is the better answer with a probability p. The hit of a pair is
// then the probability of the answer that the model prefers, and the scores are expected over the
// label.
//
// Expected calibration error: Naeini et al. 2015; Guo et al. 2017 (arXiv:1706.04599), eq. 3. Bins
// of equal mass: Nguyen & O'Connor 2015, as in Nixon et al. 2019 (arXiv:1904.01685). Brier score:
// Brier 1950.
import { bootstrapInterval, type Interval, quantile } from './intervals.ts';
import { sigmoid } from './logistic-regression.ts';
import { hitOf, type Proportion, proportionOf } from './proportion.ts';
import { resamplingRandom } from './resampling-random.ts';

/** Pairs with similar confidence: a point of the reliability diagram. */
export interface ReliabilityBin {
  /** Edges of the bin */
  from: number;
  to: number;
  /** Mean of its pairs' confidence */
  confidence: number;
  /** How many of them were right */
  accuracy: Proportion;
}

/** How close predicted probabilities of pairs are to what happened. */
export interface Calibration {
  pairs: number;
  /**
   * Expected calibration error over bins of equal width, with a percentile bootstrap interval over
   * pairs
   */
  error: { value: number; interval: Interval };
  /**
   * The same error for a perfectly calibrated model with the same pairs and confidences, and with
   * certain labels that are drawn from them. Few pairs
   * give an error even then, and the bootstrap adds the same amount again. Mean, and the 95th
   * percentile `high`.
   */
  errorByChance: { value: number; high: number };
  /** Expected calibration error over bins of equal mass */
  errorEqualMass: number;
  /** Mean of s(-gap)^2: 0 is perfect, 0.25 is a coin flip */
  brier: number;
  /** Mean of -log s(gap), the Bradley-Terry loss: ln 2 = 0.693 is a coin flip */
  logLoss: number;
  /** Bins of equal width that contain pairs */
  bins: ReliabilityBin[];
}

/** How calibration is measured. */
export interface CalibrationOptions {
  /** Of each pair, that chosen is the better answer (default: 1). */
  probabilities?: readonly number[];
  /** Number of bins of [0.5, 1]. */
  bins?: number;
  resamples?: number;
  seed?: number;
}

interface Prediction {
  confidence: number;
  hit: number;
}

/**
 * @param gaps r_chosen - r_rejected of each pair
 * @throws RangeError without pairs, for a gap that is not finite, and for an invalid number of bins
 */
export function calibrationOf(
  gaps: readonly number[],
  { probabilities, bins = 10, resamples = 2000, seed = 0 }: CalibrationOptions = {},
): Calibration {
  const predictions = predictionsOf(gaps, probabilities);
  checkBins(bins);
  const count = predictions.length;
  const error = widthError(predictions.map(({ confidence }) => widthBin(confidence, bins)));
  const confidences = predictions.map(({ confidence }) => confidence);
  const everyone = Uint32Array.from({ length: count }, (_, index) => index);
  const hits = predictions.map(({ hit }) => hit);
  const random = resamplingRandom(seed);
  const byChance = Float64Array.from({ length: resamples }, () => {
    const drawn = confidences.map((confidence) => Number(random() < confidence));
    return error(everyone, confidences, drawn);
  }).sort();
  return {
    pairs: count,
    error: {
      value: error(everyone, confidences, hits),
      interval: bootstrapInterval(count, (draws) => error(draws, confidences, hits), {
        resamples,
        seed,
      }),
    },
    errorByChance: {
      value: byChance.reduce((sum, value) => sum + value, 0) / resamples,
      high: quantile(byChance, 0.95),
    },
    errorEqualMass: expectedCalibrationError(
      reliabilityBins(gaps, { probabilities, bins, split: 'mass' }),
    ),
    brier: mean(expectedOver((gap) => sigmoid(-gap) ** 2, gaps, probabilities)),
    logLoss: mean(expectedOver(lossOf, gaps, probabilities)),
    bins: reliabilityBins(gaps, { probabilities, bins }),
  };
}

/**
 * The reliability diagram's points, without empty bins.
 * @param split `width`: [0.5, 1] in equal parts; `mass`: the same number of pairs in each, with
 *   pairs of equal confidence together
 * @throws RangeError like `calibrationOf`
 */
export function reliabilityBins(
  gaps: readonly number[],
  {
    probabilities,
    bins = 10,
    split = 'width',
  }: Pick<CalibrationOptions, 'probabilities' | 'bins'> & { split?: 'width' | 'mass' } = {},
): ReliabilityBin[] {
  checkBins(bins);
  const sorted = predictionsOf(gaps, probabilities).sort((a, b) => a.confidence - b.confidence);
  const parts = Array.from({ length: bins }, (): Prediction[] => []);
  let massBin = 0;
  for (const [index, one] of sorted.entries()) {
    if (sorted[index - 1]?.confidence !== one.confidence) {
      massBin = Math.floor((index * bins) / sorted.length);
    }
    parts[split === 'width' ? widthBin(one.confidence, bins) : massBin]!.push(one);
  }
  return parts.flatMap((part, index) => {
    const accuracy = proportionOf(part.map(({ hit }) => hit));
    if (accuracy === null) return [];
    const [from, to] =
      split === 'width'
        ? [0.5 + (0.5 * index) / bins, 0.5 + (0.5 * (index + 1)) / bins]
        : [part[0]!.confidence, part.at(-1)!.confidence];
    return [{ from, to, confidence: mean(part.map(({ confidence }) => confidence)), accuracy }];
  });
}

/**
 * sum over bins of (pairs in the bin / pairs) * |accuracy - confidence| (Guo et al. 2017, eq. 3).
 */
export function expectedCalibrationError(bins: readonly ReliabilityBin[]): number {
  const pairs = bins.reduce((sum, { accuracy }) => sum + accuracy.count, 0);
  return bins.reduce(
    (sum, { accuracy, confidence }) =>
      sum + (accuracy.count / pairs) * Math.abs(accuracy.value - confidence),
    0,
  );
}

/** -log s(gap) */
const lossOf = (gap: number): number => Math.max(0, -gap) + Math.log1p(Math.exp(-Math.abs(gap)));

/** A score of each gap, expected over the label: p score(gap) + (1 - p) score(-gap). */
const expectedOver = (
  score: (gap: number) => number,
  gaps: readonly number[],
  probabilities: readonly number[] = [],
): number[] =>
  gaps.map((gap, index) => {
    const { [index]: probability = 1 } = probabilities;
    return probability === 1
      ? score(gap)
      : probability * score(gap) + (1 - probability) * score(-gap);
  });

function predictionsOf(
  gaps: readonly number[],
  probabilities: readonly number[] = gaps.map(() => 1),
): Prediction[] {
  if (gaps.length === 0) throw new RangeError('calibration needs at least one pair');
  if (probabilities.length !== gaps.length) {
    throw new RangeError(`${gaps.length} gaps need as many probabilities`);
  }
  const hits = expectedOver(hitOf, gaps, probabilities);
  return gaps.map((gap, index) => {
    if (!Number.isFinite(gap)) throw new RangeError(`calibration needs finite gaps, got ${gap}`);
    return { confidence: sigmoid(Math.abs(gap)), hit: hits[index]! };
  });
}

function checkBins(bins: number): void {
  if (!(Number.isInteger(bins) && bins > 0))
    throw new RangeError(`the number of bins must be a positive integer, got ${bins}`);
}

const widthBin = (confidence: number, bins: number): number =>
  Math.min(bins - 1, Math.floor((confidence - 0.5) * 2 * bins));

/**
 * The equal-width error of a resample of the pairs, with fixed bins: the sum of |hits -
 * confidences| per bin.
 */
function widthError(binOf: readonly number[]) {
  const surplus = new Float64Array(Math.max(...binOf) + 1);
  return (draws: Uint32Array, confidences: readonly number[], hits: readonly number[]): number => {
    surplus.fill(0);
    for (const draw of draws) surplus[binOf[draw]!]! += hits[draw]! - confidences[draw]!;
    return surplus.reduce((sum, value) => sum + Math.abs(value), 0) / draws.length;
  };
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
