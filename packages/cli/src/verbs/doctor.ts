import { readFileSync } from 'node:fs';
import { readLaunch } from '@keel/torch/launch';
import { exitCodes } from '../failure.ts';
import { type Facts, findings } from '../machine/advice.ts';
import { printBench, runBench } from '../machine/bench.ts';
import { inspectEngine } from '../machine/engine.ts';
import { inspectHardware } from '../machine/hardware.ts';
import type { GroupFacts } from '../machine/measure-group.ts';
import { inspectModelCache } from '../machine/model-cache.ts';
import { printFacts, printFindings } from '../machine/print-facts.ts';
import { printGroup } from '../machine/print-group.ts';
import { inspectTools } from '../machine/tools.ts';
import type { DoctorOptions } from '../options/doctor.ts';
import { sayJson } from '../terminal.ts';

/** Environment variables that change which LibTorch runs, and how. */
const watched =
  /^(KEEL_|OMP_|MKL_|GOMP_|KMP_|CUDA_VISIBLE_DEVICES$|ATEN_CPU_CAPABILITY$|ONEDNN_|DNNL_)/;

export async function run({ bench, distributed, json }: DoctorOptions): Promise<number> {
  const launch = readLaunch();
  if (launch !== null && !distributed) {
    throw new Error(
      `keel doctor looks at one machine, and a launcher has started ${launch.size} processes. Pass --distributed to check that they reach each other, or start it by itself`,
    );
  }
  const group = distributed ? await measured() : null;
  // Rank 0 speaks for all.
  if (launch !== null && launch.rank > 0) return exitCodes.done;
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
    processes: launch?.localSize ?? 1,
  };
  const found = findings(facts);
  const missing = found.some(({ kind }) => kind === 'missing');
  const measures = bench && facts.engine.loaded !== null;
  if (json) {
    const bench = measures ? { bench: await runBench() } : {};
    sayJson({ ok: !missing, ...facts, findings: found, ...bench, ...(group && { group }) });
  } else {
    printFacts(facts);
    printFindings(found);
    if (measures) printBench(await runBench());
    if (group !== null) printGroup(group);
  }
  return missing ? exitCodes.failed : exitCodes.done;
}

async function measured(): Promise<GroupFacts> {
  const { measureGroup } = await import('../machine/measure-group.ts');
  const found = await measureGroup();
  if (found !== null) return found;
  throw new Error(
    '--distributed needs several processes. Start them with a launcher: npx keel launch --processes 2 doctor --distributed',
  );
}
