import { readFileSync } from 'node:fs';
import { exitCodes } from '../failure.ts';
import { type Facts, findings } from '../machine/advice.ts';
import { printBench, runBench } from '../machine/bench.ts';
import { inspectEngine } from '../machine/engine.ts';
import { inspectHardware } from '../machine/hardware.ts';
import { inspectModelCache } from '../machine/model-cache.ts';
import { printFacts, printFindings } from '../machine/print-facts.ts';
import { inspectTools } from '../machine/tools.ts';
import type { DoctorOptions } from '../options/doctor.ts';
import { sayJson } from '../terminal.ts';

/** Environment variables that change which LibTorch runs, and how. */
const watched =
  /^(KEEL_|OMP_|MKL_|GOMP_|KMP_|CUDA_VISIBLE_DEVICES$|ATEN_CPU_CAPABILITY$|ONEDNN_|DNNL_)/;

export async function run({ bench, json }: DoctorOptions): Promise<number> {
  const [tools, cache] = await Promise.all([inspectTools(), inspectModelCache()]);
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const facts: Facts = {
    keel: (JSON.parse(manifest) as { version: string }).version,
    node: process.version,
    hardware: inspectHardware(),
    engine: inspectEngine(),
    tools,
    cache,
    variables: Object.fromEntries(
      Object.entries(process.env).filter(([name]) => watched.test(name)),
    ) as Record<string, string>,
  };
  const found = findings(facts);
  const missing = found.some(({ kind }) => kind === 'missing');
  const measures = bench && facts.engine.loaded !== null;
  if (json) {
    const measured = measures ? { bench: await runBench() } : {};
    sayJson({ ok: !missing, ...facts, findings: found, ...measured });
  } else {
    printFacts(facts);
    printFindings(found);
    if (measures) printBench(await runBench());
  }
  return missing ? exitCodes.failed : exitCodes.done;
}
