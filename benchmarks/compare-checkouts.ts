// Speed and memory of two checkouts of Keel, such as a change and the version before it: DPO, SFT,
// GRPO and generation on the default model, alternating, several rounds. Prints a table of medians.
// node benchmarks/compare-checkouts.ts --before <folder> [--after <folder>] [--rounds 4]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    before: { type: 'string' },
    after: { type: 'string', default: fileURLToPath(new URL('..', import.meta.url)) },
    rounds: { type: 'string', default: '4' },
  },
});
if (values.before === undefined) throw new Error('--before is required: the folder of a checkout');
const folders = { before: resolve(values.before), after: resolve(values.after) };
type Side = keyof typeof folders;

const rows = ['--data', 'examples/data/concise-train.jsonl'];
const folder = mkdtempSync(join(tmpdir(), 'keel-checkouts-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** The chosen answers of the pairs, as rows of supervised fine-tuning. @returns the path */
function chosenAnswers(): string {
  const path = join(folder, 'chosen.jsonl');
  const pairs = readFileSync(join(folders.after, rows[1]!), 'utf8').trim().split('\n');
  const answers = pairs.map((line) => {
    const { prompt, chosen: completion } = JSON.parse(line);
    return `${JSON.stringify({ prompt, completion })}\n`;
  });
  writeFileSync(path, answers.join(''));
  return path;
}

const measured = {
  'DPO, LoRA': ['benchmarks/keel/dpo.ts', ...rows, '--steps', '7'],
  'SFT, LoRA': ['benchmarks/keel/sft.ts', '--data', chosenAnswers(), '--steps', '7'],
  'GRPO, LoRA': ['benchmarks/keel/grpo.ts', ...rows, '--steps', '4'],
  'generation, 16 at a time': ['benchmarks/generate.ts', '--batches', '16'],
};

/** What a script of either checkout prints. */
interface Line {
  tokens_per_second?: number;
  tokensPerSecond?: number;
  peak_rss_bytes?: number;
  peakBytes?: number;
}

function measure(side: Side, args: readonly string[]): { speed: number; peak: number } {
  const cwd = folders[side];
  const node = join(cwd, 'node_modules/.bin/node');
  const { status, stdout, stderr } = spawnSync(node, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${side}: ${args.join(' ')} failed:\n${stderr}`);
  const line = JSON.parse(stdout.trim().split('\n').at(-1)!) as Line;
  return {
    speed: (line.tokens_per_second ?? line.tokensPerSecond)!,
    peak: (line.peak_rss_bytes ?? line.peakBytes)!,
  };
}

const median = (numbers: readonly number[]): number => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle - 1)]!) / 2;
};

process.stdout.write(
  '| | tokens/s before | after | after / before | peak memory, GB, before | after | after / before |\n' +
    '|---|---|---|---|---|---|---|\n',
);
for (const [name, args] of Object.entries(measured)) {
  const found: Record<Side, { speed: number; peak: number }[]> = { before: [], after: [] };
  for (let round = 0; round < Number(values.rounds); round++) {
    const order: Side[] = round % 2 === 0 ? ['before', 'after'] : ['after', 'before'];
    for (const side of order) found[side].push(measure(side, args));
  }
  // The ratio of each round, since the machine's speed drifts.
  const ratio = (of: 'speed' | 'peak'): string =>
    median(found.after.map((one, round) => one[of] / found.before[round]![of])).toFixed(3);
  const [before, after] = [found.before, found.after].map((all) => ({
    speed: median(all.map(({ speed }) => speed)).toFixed(0),
    peak: (median(all.map(({ peak }) => peak)) / 1e9).toFixed(2),
  }));
  process.stdout.write(
    `| ${name} | ${before!.speed} | ${after!.speed} | ${ratio('speed')} | ${before!.peak} | ${after!.peak} | ${ratio('peak')} |\n`,
  );
}
