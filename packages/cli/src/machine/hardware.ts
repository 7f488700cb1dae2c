import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { cpuFlags, hasFastBfloat16 } from '../torch-free/machine.ts';

/** Instruction sets that decide how fast products are, slowest first; by Linux's names. */
const telling = ['avx2', 'avx512f', 'avx512_bf16', 'amx_bf16', 'asimd', 'sve', 'bf16'];

/** What the machine has, as this process may use it. */
export interface Hardware {
  cpu: string;
  /** Of the instruction sets that matter, those that the processor has. */
  features: string[];
  fastBfloat16: boolean;
  cores: number;
  /** Cores that this process may use: its affinity and its control group. */
  usableCores: number;
  /** Share of cores that the control group grants, for example 1.5; null without a limit. */
  cpuQuota: number | null;
  /** Programs that want to run, averaged over a minute. */
  load: number;
  memoryBytes: number;
  /** Bytes that this process could still take. */
  availableBytes: number;
  /** Names of NVIDIA devices, whatever LibTorch is used. */
  gpus: string[];
}

export function inspectHardware(): Hardware {
  const limit = process.constrainedMemory();
  return {
    cpu: cpus()[0]?.model.trim() || 'unknown',
    features: telling.filter((name) => cpuFlags().has(name)),
    fastBfloat16: hasFastBfloat16(),
    cores: cpus().length,
    usableCores: availableParallelism(),
    cpuQuota: cpuQuota(),
    load: loadavg()[0]!,
    // Without a limit some systems report a number beyond all memory.
    memoryBytes: limit > 0 ? Math.min(limit, totalmem()) : totalmem(),
    availableBytes: process.availableMemory(),
    gpus: nvidiaDevices(),
  };
}

/** The control group's limit, of version 2 or 1. */
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
