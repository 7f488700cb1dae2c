// The machine's own matmul peak, measured once and kept: a run does not spend seconds on it at each
// start.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { cacheFolder, makeFolder } from '@keel/model';
import { addonBuild, type Device, threads, torchBuild } from '@keel/torch';
import { writeFileAtomic } from '../runs/atomic-write.ts';
import { type MatmulPeak, measureMatmulPeak } from './matmul-peak.ts';

/** A measured peak and what it was measured with. */
export interface KeptPeak extends MatmulPeak {
  precision: string;
  device: Device;
  threads: number;
  /** ISO 8601. */
  measured: string;
}

/** What a peak depends on: any difference gives another file. */
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

/**
 * The peak that is kept for this machine, LibTorch and number of threads; null where there is none.
 */
export function keptPeak(precision: string, device: Device = 'cpu'): KeptPeak | null {
  const path = pathOf(precision, device);
  if (!existsSync(path)) return null;
  try {
    const { peak } = JSON.parse(readFileSync(path, 'utf8')) as { peak: KeptPeak };
    return (peak?.flops ?? 0) > 0 ? peak : null;
  } catch {
    // A damaged file is measured anew.
    return null;
  }
}

/** Keeps what was measured with the threads in use. @throws the file system's error */
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
 * The peak after a step that ran faster than it: it was measured while other programs were busy.
 * Measured again, kept, and never below what the step reached.
 * @param reached floating-point operations a second of the step
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
    // The run goes on with it; the next one measures for itself.
  }
  return peak;
}

/**
 * The kept peak, or one that is measured now and kept. Half a second as a rule.
 * @param notice is told what was measured, and how to measure again
 */
export function machinePeak(
  { precision, device }: { precision: string; device: Device },
  notice: (text: string, code?: string) => void = () => {},
): MatmulPeak {
  const known = keptPeak(precision, device);
  if (known !== null) return known;
  const peak = measureMatmulPeak(precision, { device });
  notice(
    `This machine multiplies matrices at ${(peak.flops / 1e9).toFixed(0)} GFLOP/s (${precision}, ${device === 'cpu' ? `${threads()} threads` : device}): ` +
      'mfu is the share of it. Where other programs were busy just now, `keel doctor --bench` measures it again',
    'machine peak',
  );
  try {
    keepPeak(peak, precision, device);
  } catch (error) {
    notice(`It could not be kept in ${cacheFolder()}: ${(error as Error).message}`);
  }
  return peak;
}
