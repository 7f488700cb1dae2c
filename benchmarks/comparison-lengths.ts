// Compares the answer lengths of a finished comparison with the reference's and with each other,
// and tests whether length alone makes an answer more likely. Reads the measurements of `keel
// compare` and samples nothing.
//   node benchmarks/comparison-lengths.ts runs/compare
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrapInterval, type Measured, resamplingRandom, spearman } from '@keel/align/internal';

const folder = process.argv[2];
if (folder === undefined) throw new Error('pass the folder of a comparison');
const evaluation = join(folder, 'evaluation');
const read = (name: string): Measured => JSON.parse(readFileSync(join(evaluation, name), 'utf8'));

/** Entries grouped by everything but the seed. */
const groups = new Map<string, Measured[]>();
for (const name of readdirSync(evaluation).sort()) {
  const group = /^(.*)-s\d+\.json$/.exec(name)?.[1];
  if (group !== undefined) groups.set(group, [...(groups.get(group) ?? []), read(name)]);
}
const reference = read('reference.json');
const random = resamplingRandom(1);
const mean = (values: readonly number[]): number =>
  values.reduce((sum, one) => sum + one, 0) / values.length;
const lengths = ({ answers }: Measured): number[] => answers.map(({ tokens }) => tokens);
const signed = (value: number): string => `${value > 0 ? '+' : ''}${value.toFixed(0)}`;

/** Mean of a - b over seeds and prompts, with an interval over seeds and prompts. */
function difference(a: readonly Measured[], b: readonly Measured[]): string {
  const differences = a.map((one, seed) => {
    const other = lengths(b[seed % b.length]!);
    return lengths(one).map((tokens, at) => tokens - other[at]!);
  });
  const prompts = differences[0]!.length;
  const [low, high] = bootstrapInterval(differences.length, (seeds) => {
    // The same prompts for every seed.
    const drawn = Array.from({ length: prompts }, () => Math.floor(random() * prompts));
    return mean([...seeds].map((seed) => mean(drawn.map((at) => differences[seed]![at]!))));
  });
  return `${signed(mean(differences.map(mean)))} (${signed(low)} to ${signed(high)})`;
}

/**
 * Rank correlation of mean log-probability and length over the held-out answers, chosen and
 * rejected.
 */
function byLength({ pairs }: Measured): number {
  const tokens = [...pairs.tokensChosen, ...pairs.tokensRejected];
  const perToken = [...pairs.chosen, ...pairs.rejected].map((sum, at) => sum / tokens[at]!);
  return spearman(perToken, tokens)!.value;
}

const others = [...groups.keys()];
const out = (cells: readonly string[]): void => console.log(`| ${cells.join(' | ')} |`);
const columns = ['', 'seeds', 'tokens', 'by seed', 'ended', 'minus the reference (95%)'];
out([
  ...columns,
  ...others.slice(0, -1).map((name) => `minus ${name} (95%)`),
  'rank correlation of mean log p and length',
]);
out(Array.from({ length: columns.length + others.length }, () => '---'));
for (const [name, runs] of [['reference', [reference]] as const, ...groups]) {
  const ended = runs.map(({ answers }) => mean(answers.map((one) => Number(one.ended))));
  out([
    ...[name, String(runs.length), mean(runs.map((one) => mean(lengths(one)))).toFixed(0)],
    runs.map((one) => mean(lengths(one)).toFixed(0)).join(', '),
    `${(100 * mean(ended)).toFixed(0)}%`,
    name === 'reference' ? '' : difference(runs, [reference]),
    ...others
      .slice(0, -1)
      .map((other) =>
        name === 'reference' || name === other ? '' : difference(runs, groups.get(other)!),
      ),
    mean(runs.map(byLength)).toFixed(2),
  ]);
}
