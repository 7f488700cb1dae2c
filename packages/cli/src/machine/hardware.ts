import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { cpuFlags, hasFastBfloat16 } from '@keel/model/without-torch';

/** Instruction sets that determine matmul speed, slowest first, by their Linux names. */
const instructionSets = ['avx2', 'avx512f', 'avx512_bf16', 'amx_bf16', 'asimd', 'sve', 'bf16'];

/** The machine's hardware, as far as this process may use it. */
export interface Hardware {
  cpu: string;
  /** The relevant instruction sets that the processor has. */
  features: string[];
  fastBfloat16: boolean;
  cores: number;
  /** Cores that this process may use, by its affinity and its control group. */
  usableCores: number;
  /** Cores that the control group grants, for example 1.5; null without a limit. */
  cpuQuota: number | null;
  /** Load average over one minute. */
  load: number;
  memoryBytes: number;
  /** Bytes that this process can still allocate. */
  availableBytes: number;
  /** Names of NVIDIA devices, whether or not LibTorch can use them. */
  gpus: string[];
}

export function inspectHardware(): Hardware {
  const limit = process.constrainedMemory();
  return {
    cpu: cpus()[0]?.model.trim() || 'unknown',
    features: instructionSets.filter((name) => cpuFlags().has(name)),
    fastBfloat16: hasFastBfloat16(),
    cores: cpus().length,
    usableCores: availableParallelism(),
    cpuQuota: cpuQuota(),
    load: loadavg()[0]!,
    // Without a limit, some systems report more than the total memory.
    memoryBytes: limit > 0 ? Math.min(limit, totalmem()) : totalmem(),
    availableBytes: process.availableMemory(),
    gpus: nvidiaDevices(),
  };
}

/** The control group's CPU limit, from version 2 or 1. */
function cpuQuota(): number | null {
  const [quota, period] = read('/sys/fs/cgroup/cpu.max')?.split(' ').map(Number) ?? [
    Number(read('/sys/fs/cgroup/cpu/cpu.cfs_quota_us') ?? Number.NaN),
    Number(read('/sys/fs/cgroup/cpu/cpu.cfs_period_us') ?? Number.NaN),
  ];
  const cores = quota! / period!;
  return Number.isFinite(cores) && cores > 0 ? cores : null;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}

function nvidiaDevices(): string[] {
  const query = ['--query-gpu=name,memory.total', '--format=csv,noheader'];
  const { status, stdout } = spawnSync('nvidia-smi', query, { encoding: 'utf8', timeout: 10_000 });
  return status === 0 ? stdout.trim().split('\n').filter(Boolean) : [];
}
