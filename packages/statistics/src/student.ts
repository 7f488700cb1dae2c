// Student's distribution (Student 1908) from the regularised incomplete beta function, whose
// continued fraction is evaluated with Lentz's method (Press et al. 2007, section 6.4).
import type { Interval } from './intervals.ts';

/** P(T <= t) for Student's distribution. @throws RangeError unless degrees > 0 */
export function studentCumulative(t: number, degrees: number): number {
  if (!(degrees > 0)) throw new RangeError(`degrees of freedom must be above 0, got ${degrees}`);
  const tail = incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5) / 2;
  return t > 0 ? 1 - tail : tail;
}

/**
 * The t with P(T <= t) = share.
 * @throws RangeError unless 0 < share < 1 and degrees > 0
 */
export function studentQuantile(share: number, degrees: number): number {
  if (!(share > 0 && share < 1)) throw new RangeError(`a share is from 0 to 1, got ${share}`);
  if (share < 0.5) return -studentQuantile(1 - share, degrees);
  let low = 0;
  let high = 1;
  while (studentCumulative(high, degrees) < share) high *= 2;
  for (let halving = 0; halving < 200 && high - low > 1e-14 * high; halving++) {
    const middle = (low + high) / 2;
    if (studentCumulative(middle, degrees) < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * Student's interval of a mean of independent values, for few values that are nearly normal, such
 * as the results of a few seeds.
 * @returns null for fewer than two values, whose spread is unknown
 * @throws RangeError for a value that is not finite
 */
export function studentInterval(values: readonly number[], confidence = 0.95): Interval | null {
  const strange = values.find((value) => !Number.isFinite(value));
  if (strange !== undefined)
    throw new RangeError(`an interval needs finite values, got ${strange}`);
  const count = values.length;
  if (count < 2) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  const half = studentQuantile(1 - (1 - confidence) / 2, count - 1) * Math.sqrt(variance / count);
  return [mean - half, mean + half];
}

/** I_x(a, b). */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x),
  );
  // The fraction converges fast on this side of the mean.
  if (x > (a + 1) / (a + b + 2)) return 1 - (front * betaFraction(1 - x, b, a)) / b;
  return (front * betaFraction(x, a, b)) / a;
}

function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const nonZero = (value: number): number => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1));
  let result = d;
  for (let m = 1; m <= 1000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let change = 1;
    for (const term of [even, odd]) {
      d = 1 / nonZero(1 + term * d);
      c = nonZero(1 + term / c);
      change = c * d;
      result *= change;
    }
    if (Math.abs(change - 1) < 1e-16) break;
  }
  return result;
}

/** Lanczos' approximation with g = 7 and nine terms (about 15 digits), for x >= 0.5. */
function logGamma(x: number): number {
  const terms = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313,
    -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6,
    1.5056327351493116e-7,
  ];
  const sum = terms.reduce(
    (total, term, index) => total + (index === 0 ? term : term / (x - 1 + index)),
    0,
  );
  const shifted = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(shifted) - shifted + Math.log(sum);
}
