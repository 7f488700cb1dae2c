import { type Device, ops, randn, tidy, withSeed } from '@keel/torch';

/** The fastest measured matrix product. */
export interface MatmulPeak {
  /** Floating-point operations per second. */
  flops: number;
  /** Rows and columns of the square matrices. */
  size: number;
}

export interface MatmulPeakOptions {
  device?: Device;
  /** Rows and columns to try, smallest first. */
  sizes?: readonly number[];
  /** Seconds per size; a size that would take longer at the previous size's speed is skipped. */
  secondsPerSize?: number;
}

const fewestRounds = 3;

/**
 * Measures products of square matrices with the current number of threads and returns the best.
 * Other busy processes lower the result. The random state is not changed.
 * @param precision of a run: bf16, otherwise float32
 */
export function measureMatmulPeak(
  precision: string,
  { device = 'cpu', sizes = [512, 1024, 2048], secondsPerSize = 0.1 }: MatmulPeakOptions = {},
): MatmulPeak {
  const dtype = precision === 'bf16' ? 'bfloat16' : 'float32';
  let best: MatmulPeak = { flops: 0, size: 0 };
  for (const size of sizes) {
    const work = 2 * size ** 3;
    if (best.flops > 0 && work / best.flops > secondsPerSize) break;
    const seconds = tidy(() => {
      const [a, b] = withSeed(0, () => [randn([size, size]), randn([size, size])]).map((one) =>
        one.to({ dtype, device }),
      ) as [ReturnType<typeof randn>, ReturnType<typeof randn>];
      return fastest(secondsPerSize, () => {
        using product = ops.mm(a, b);
        // An accelerator has only started by now: reading an element waits for it.
        if (device !== 'cpu') product.select(0, 0).select(0, 0).item();
      });
    });
    if (work / seconds > best.flops) best = { flops: work / seconds, size };
  }
  return best;
}

/**
 * Seconds of the fastest call within about `budget` seconds, not counting a first call for warm-up.
 */
export function fastest(budget: number, body: () => void): number {
  body();
  const started = performance.now();
  let best = Number.POSITIVE_INFINITY;
  for (
    let round = 0;
    round < fewestRounds || performance.now() - started < budget * 1000;
    round++
  ) {
    const start = performance.now();
    tidy(body);
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  return best;
}
