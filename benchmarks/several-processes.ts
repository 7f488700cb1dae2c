// Measures how much faster steps are in several processes of one thread each than in one, and the
// peak memory of a process (rank 0, which also writes the result).
//   node benchmarks/several-processes.ts [--processes 2] [--verbs dpo,sft,grpo] [--steps 6]
//     [--rows 8] [--rounds 2] [--full] [--dtype bf16] [--shard none] [--model …] [--phases]
// With --phases, the medians of a step's phases follow each line: those of rank 0, which waits at
// the end of a phase for the others.
//   node benchmarks/several-processes.ts --full --dtype fp32 --verbs sft --rounds 1 --processes 2,4
//     --shard none,optimizer,full
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { launchProcesses } from '@keel/torch/launch';
import { jsonLines, randomPairs } from './random-pairs.ts';

const { values } = parseArgs({
  options: {
    processes: { type: 'string', default: '2' },
    verbs: { type: 'string', default: 'dpo,sft,grpo' },
    steps: { type: 'string', default: '6' },
    rows: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '2' },
    dtype: { type: 'string', default: 'bf16' },
    full: { type: 'boolean', default: false },
    shard: { type: 'string', default: 'none' },
    phases: { type: 'boolean', default: false },
    model: { type: 'string', default: 'SmolLM2-135M-Instruct' },
  },
});
const rowsFlag: Record<string, string> = { dpo: '--pairs', sft: '--rows', grpo: '--prompts' };

interface Measured {
  seconds_per_step: number[];
  phases_per_step: Record<string, number>[];
  sent_bytes_per_step?: number[];
  peak_rss_bytes: number;
  peak_rss_of_steps_bytes: number;
}

const scratch = mkdtempSync(join(tmpdir(), 'keel-processes-'));
try {
  const pairs = randomPairs(64);
  const files: Record<string, string> = {
    dpo: jsonLines(pairs),
    sft: jsonLines(pairs.map(({ prompt, chosen }) => ({ prompt, completion: chosen }))),
    grpo: jsonLines(pairs.map(({ prompt }) => ({ prompt }))),
  };
  const columns = ['verb', 'processes', 'shard', 's a step', 'times as fast', 'MB sent a step'];
  console.log(`| ${[...columns, 'GB in steps', 'GB in all'].join(' | ')} |`);
  console.log('|---|---|---|---|---|---|---|---|');
  const counts = values.processes.split(',').map(Number);
  const runs = counts.flatMap((count) =>
    values.shard.split(',').map((shard) => ({ count, shard })),
  );
  for (const verb of values.verbs.split(',')) {
    const data = join(scratch, `${verb}.jsonl`);
    writeFileSync(data, files[verb]!);
    for (let round = 0; round < Number(values.rounds); round++) {
      let one = Number.NaN;
      for (const { count, shard } of [{ count: 1, shard: 'none' }, ...runs]) {
        const { seconds, sent, training, peak, phases } = await measure(verb, data, count, shard);
        if (count === 1) one = seconds;
        const speed = [seconds.toFixed(2), (one / seconds).toFixed(2), (sent / 1e6).toFixed(1)];
        const memory = [(training / 1e9).toFixed(2), (peak / 1e9).toFixed(2)];
        console.log(`| ${[verb, count, shard, ...speed, ...memory].join(' | ')} |`);
        if (values.phases) console.log(`  ${phases}`);
      }
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function measure(verb: string, data: string, processes: number, shard: string) {
  const program = fileURLToPath(new URL(`keel/${verb}.ts`, import.meta.url));
  const args = [program, '--data', data, '--steps', values.steps, '--threads', '1'];
  args.push('--shard', shard, '--model', values.model);
  args.push(
    rowsFlag[verb]!,
    values.rows,
    '--dtype',
    values.dtype,
    ...(values.full ? ['--full'] : []),
  );
  const said: string[] = [];
  const { exitCode } = await launchProcesses(process.execPath, args, {
    ...{ processes, threads: 1 },
    onLine: (rank, line, stream) => {
      if (rank === 0 && stream === 'stdout') said.push(line);
    },
  });
  if (exitCode !== 0) throw new Error(`${verb} in ${processes} processes failed`);
  const found = JSON.parse(said.at(-1)!) as Measured;
  const median = (list: readonly number[]): number =>
    [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!;
  const names = [...new Set(found.phases_per_step.flatMap((one) => Object.keys(one)))];
  const phases = names.map((name) => {
    const spent = median(found.phases_per_step.map((one) => one[name] ?? 0));
    return `${name} ${spent.toFixed(2)} s`;
  });
  return {
    phases: phases.join(', '),
    seconds: median(found.seconds_per_step),
    sent: median(found.sent_bytes_per_step ?? [0]),
    training: found.peak_rss_of_steps_bytes,
    peak: found.peak_rss_bytes,
  };
}
