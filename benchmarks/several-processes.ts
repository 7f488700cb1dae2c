// Measures how much faster steps are in several processes of one thread each than in one.
//   node benchmarks/several-processes.ts [--processes 2] [--verbs dpo,sft,grpo] [--steps 6]
//     [--rows 8] [--rounds 2] [--full] [--dtype bf16]
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
  },
});
const rowsFlag: Record<string, string> = { dpo: '--pairs', sft: '--rows', grpo: '--prompts' };

interface Measured {
  seconds_per_step: number[];
  sent_bytes_per_step?: number[];
  peak_rss_bytes: number;
}

const scratch = mkdtempSync(join(tmpdir(), 'keel-processes-'));
try {
  const pairs = randomPairs(64);
  const files: Record<string, string> = {
    dpo: jsonLines(pairs),
    sft: jsonLines(pairs.map(({ prompt, chosen }) => ({ prompt, completion: chosen }))),
    grpo: jsonLines(pairs.map(({ prompt }) => ({ prompt }))),
  };
  console.log('| verb | processes | s a step | times as fast | MB sent a step | GB each |');
  console.log('|---|---|---|---|---|---|');
  for (const verb of values.verbs.split(',')) {
    const data = join(scratch, `${verb}.jsonl`);
    writeFileSync(data, files[verb]!);
    for (let round = 0; round < Number(values.rounds); round++) {
      let one = Number.NaN;
      for (const count of [1, Number(values.processes)]) {
        const { seconds, sent, peak } = await measure(verb, data, count);
        if (count === 1) one = seconds;
        const cells = [verb, count, seconds.toFixed(2), (one / seconds).toFixed(2)];
        console.log(
          `| ${[...cells, (sent / 1e6).toFixed(1), (peak / 1e9).toFixed(2)].join(' | ')} |`,
        );
      }
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function measure(verb: string, data: string, processes: number) {
  const program = fileURLToPath(new URL(`keel/${verb}.ts`, import.meta.url));
  const args = [program, '--data', data, '--steps', values.steps, '--threads', '1'];
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
  return {
    seconds: median(found.seconds_per_step),
    sent: median(found.sent_bytes_per_step ?? [0]),
    peak: found.peak_rss_bytes,
  };
}
