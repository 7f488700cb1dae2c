import { type Device, ops, randn, type Tensor, tidy, withSeed } from '@keel/torch';

/** The fastest measured matrix product. */
export interface MatmulPeak {
  /** Floating-point operations per second. */
  flops: number;
  /** Rows and columns of the square matrices. */
  size: number;
}

export interface MatmulPeakOptions {
  device?: Device;
  /** Rows and columns to try, smallest first (default: up to 2048; on a GPU up to 8192). */
  sizes?: readonly number[];
  /** Seconds per size; a size that would take longer at the previous size's speed is skipped. */
  secondsPerSize?: number;
}

const fewestRounds = 3;
const usualSizes = { cpu: [512, 1024, 2048], device: [1024, 2048, 4096, 8192] };

/**
 * Measures products of square matrices with the current number of threads and returns the best.
 * Other busy processes lower the result. The random state is not changed.
 * @param precision of a run: bf16, otherwise float32
 */
export function measureMatmulPeak(
  precision: string,
  { device = 'cpu', sizes, secondsPerSize = 0.1 }: MatmulPeakOptions = {},
): MatmulPeak {
  const tried = sizes ?? (device === 'cpu' ? usualSizes.cpu : usualSizes.device);
  const dtype = precision === 'bf16' ? 'bfloat16' : 'float32';
  let best: MatmulPeak = { flops: 0, size: 0 };
  for (const size of tried) {
    const work = 2 * size ** 3;
    if (best.flops > 0 && work / best.flops > secondsPerSize) break;
    const seconds = tidy(() => {
      const draw = (): Tensor => randn([size, size], { device }).to(dtype);
      const [a, b] = withSeed(0, () => [draw(), draw()] as const, device);
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
