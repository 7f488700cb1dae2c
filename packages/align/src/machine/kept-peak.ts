// The machine's matmul peak, measured once and cached, so that runs do not spend time on it at
// every start.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { cacheFolder, makeFolder } from '@keel/model';
import { addonBuild, type Device, threads, torchBuild } from '@keel/torch';
import { writeFileAtomic } from '../files/atomic-write.ts';
import { type MatmulPeak, measureMatmulPeak } from './matmul-peak.ts';

/** A measured peak and the conditions of the measurement. */
export interface KeptPeak extends MatmulPeak {
  precision: string;
  device: Device;
  threads: number;
  /** ISO 8601. */
  measured: string;
}

/** Everything that a peak depends on: any difference gives another file. */
function keyOf(precision: string, device: Device): Record<string, unknown> {
  const { ONEDNN_MAX_CPU_ISA = '', DNNL_MAX_CPU_ISA = '' } = process.env;
  return {
    cpu: cpus()[0]?.model ?? '',
    cores: availableParallelism(),
    instructions: [torchBuild().cpuCapability, ONEDNN_MAX_CPU_ISA, DNNL_MAX_CPU_ISA],
    software: addonBuild(),
    precision,
    device,
    threads: threads(),
  };
}

function pathOf(precision: string, device: Device): string {
  const key = JSON.stringify(keyOf(precision, device));
  const hash = createHash('sha256').update(key).digest('hex').slice(0, 32);
  return join(cacheFolder(), 'machine', `matmul-${hash}.json`);
}

/** The cached peak for this machine, LibTorch and number of threads; null if there is none. */
export function keptPeak(precision: string, device: Device = 'cpu'): KeptPeak | null {
  const path = pathOf(precision, device);
  if (!existsSync(path)) return null;
  try {
    const { peak } = JSON.parse(readFileSync(path, 'utf8')) as { peak: KeptPeak };
    return (peak?.flops ?? 0) > 0 ? peak : null;
  } catch {
    // If the file is damaged, the peak is measured again.
    return null;
  }
}

/** Caches a peak measured with the current number of threads. @throws the file system's error */
export function keepPeak(peak: MatmulPeak, precision: string, device: Device = 'cpu'): KeptPeak {
  const kept = {
    ...peak,
    precision,
    device,
    threads: threads(),
    measured: new Date().toISOString(),
  };
  const path = pathOf(precision, device);
  makeFolder(dirname(path));
  const content = { key: keyOf(precision, device), peak: kept };
  writeFileAtomic(path, `${JSON.stringify(content, null, 2)}\n`);
  return kept;
}

/**
 * Corrects the peak after a step that was faster, because the peak was measured while other
 * programs were busy. It is measured again, cached, and never below the speed of that step.
 * @param reached floating-point operations per second of the step
 */
export function raisedPeak(
  { precision, device }: { precision: string; device: Device },
  reached: number,
  measure = measureMatmulPeak,
): MatmulPeak {
  const found = measure(precision, { device });
  const peak = { ...found, flops: Math.max(found.flops, reached) };
  try {
    keepPeak(peak, precision, device);
  } catch {
    // This run uses it; the next one measures again.
  }
  return peak;
}

/**
 * The cached peak, or a new measurement, which is cached and usually takes half a second.
 * @param notice receives the measurement, and how to repeat it
 */
export function machinePeak(
  { precision, device }: { precision: string; device: Device },
  notice: (text: string, code?: string) => void = () => {},
): MatmulPeak {
  const known = keptPeak(precision, device);
  if (known !== null) return known;
  const peak = measureMatmulPeak(precision, { device });
  notice(
    `Measured this machine's peak matmul speed: ${(peak.flops / 1e9).toFixed(0)} GFLOP/s (${precision}, ${device === 'cpu' ? `${threads()} threads` : device}). ` +
      'mfu is relative to it. If other programs were busy, measure again with `keel doctor --bench`',
    'machine peak',
  );
  try {
    keepPeak(peak, precision, device);
  } catch (error) {
    notice(`It could not be cached in ${cacheFolder()}: ${(error as Error).message}`);
  }
  return peak;
}
