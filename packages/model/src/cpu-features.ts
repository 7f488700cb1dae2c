import { readFileSync } from 'node:fs';

let flags: ReadonlySet<string> | null = null;

/**
 * The processor's instruction sets by their Linux names (avx2, avx512f, avx512_bf16, amx_bf16, …);
 * empty if they cannot be read.
 */
export function cpuFlags(): ReadonlySet<string> {
  if (flags !== null) return flags;
  let text = '';
  try {
    text = readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    // not Linux
  }
  const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(text)?.[1] ?? '';
  flags = new Set(line.split(/\s+/).filter((flag) => flag !== ''));
  return flags;
}

/** Whether bfloat16 products are faster than float32 ones on this processor. */
export const hasFastBfloat16 = (): boolean =>
  ['amx_bf16', 'avx512_bf16', 'bf16'].some((flag) => cpuFlags().has(flag));
