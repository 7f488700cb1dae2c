// Trains reward models on judged pairs: several seeds, the rule "the longer answer wins", an
// ensemble against its members, and TRL's RewardTrainer on some of the rows.
//   node benchmarks/reward-judged-pairs.ts --train train.jsonl --test test.jsonl
//     [--other answers.jsonl] [--python <a Python with benchmarks/trl/requirements.txt>]
//     [--exclude <text>] [--folder <kept runs>] [--heads 4] [--length-head] [--length-weight 1]
// --folder: keeps the runs, goes on with one that was interrupted, and repeats no finished one.
// --heads: also trains one adapter with this many heads. --length-head: trains every adapter with a
// length head (ODIN), whose correlations with length weigh --length-weight. --other: answers from
// outside the training data, {prompt, completion} or pairs (default: only the test answers with
// shuffled words). --exclude: also excludes test pairs whose chosen answer contains this text (for
// example an attack on the judge).
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { trainReward } from '@keel/align';
import {
  type Content,
  isChat,
  openEither,
  openRows,
  type PreferenceRow,
  shuffledOrder,
} from '@keel/align/data';
import { rewardFindings } from '@keel/align/internal';
import {
  combineEnsemble,
  ensembleDeviation,
  RewardModel,
  type RewardRow,
} from '@keel/align/rewards';
import { ensureDefaultModel } from '@keel/model';
import { jsonLines } from './random-pairs.ts';

const { values } = parseArgs({
  options: {
    train: { type: 'string' },
    test: { type: 'string' },
    other: { type: 'string' },
    exclude: { type: 'string' },
    model: { type: 'string', default: 'SmolLM2-135M-Instruct' },
    seeds: { type: 'string', default: '1,2,3' },
    members: { type: 'string', default: '4' },
    steps: { type: 'string', default: 'epoch' },
    'batch-size': { type: 'string', default: '16' },
    'learning-rate': { type: 'string', default: '1e-4' },
    rows: { type: 'string', default: '300' },
    python: { type: 'string' },
    folder: { type: 'string' },
    heads: { type: 'string' },
    'length-head': { type: 'boolean', default: false },
    'length-weight': { type: 'string', default: '1' },
  },
});
const { train, test } = values;
if (train === undefined || test === undefined) throw new Error('--train and --test are required');

const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'keel-reward-judged-'));
mkdirSync(folder, { recursive: true });
const usual = {
  model: values.model,
  lora: true,
  batchSize: Number(values['batch-size']),
  learningRate: Number(values['learning-rate']),
  maxSteps: values.steps === 'epoch' ? null : Number(values.steps),
  saveSteps: values.folder === undefined ? null : 5,
  saveTotalLimit: 1,
  ...(values['length-head'] && {
    lengthHead: true,
    lengthWeight: Number(values['length-weight']),
  }),
};
const prefix = values['length-head'] ? `odin-${values['length-weight']}-` : '';

const texts = (content: Content): string =>
  isChat(content) ? content.map((message) => message.content).join('\n') : content;
const percent = (value: number): string => `${(100 * value).toFixed(1)}%`;
const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function trained(
  name: string,
  own: { seed: number; data?: string; heads?: number },
): Promise<string> {
  const finished = join(folder, name, 'final');
  if (existsSync(finished)) return finished;
  const resume = existsSync(join(folder, name, 'checkpoints'));
  say(`training ${name}`);
  const { data = train!, ...others } = own;
  const run = await trainReward(
    { ...usual, ...others, data: [data], output: join(folder, name), resume, overwrite: !resume },
    {
      onEvent: (event) => {
        if (event.type === 'step' && event.step % 10 === 0) {
          say(`  step ${event.step}/${event.totalSteps}, loss ${event.metrics.loss?.toFixed(4)}`);
        }
      },
    },
  );
  return run.final;
}

interface Scored {
  chosen: { score: number; heads: number[]; length: number };
  rejected: { score: number; heads: number[]; length: number };
  kept: boolean;
}

async function scoresOn(rows: readonly PreferenceRow[], rewards: RewardModel): Promise<Scored[]> {
  const answers = rows.flatMap(({ prompt, chosen, rejected }) => [
    { prompt, completion: chosen },
    { prompt, completion: rejected },
  ]);
  const found = await rewards.scoreRows(answers);
  const side = (index: number) => ({
    ...found[index]!,
    length: rewards.model.tokenizer.encode(texts(answers[index]!.completion)).length,
  });
  return rows.map((row, pair) => ({
    chosen: side(2 * pair),
    rejected: side(2 * pair + 1),
    kept: values.exclude === undefined || !texts(row.chosen).includes(values.exclude),
  }));
}

const table: string[][] = [];
function report(name: string, scored: readonly Scored[]): void {
  for (const [which, pairs] of [
    ['all', scored],
    ['without excluded', scored.filter(({ kept }) => kept)],
  ] as const) {
    if (which !== 'all' && pairs.length === scored.length) continue;
    const { accuracy, longerWins, lead, calibration, lengthCorrelation } = rewardFindings(pairs);
    const range = ([low, high]: readonly number[]): string =>
      `${percent(low!)} to ${percent(high!)}`;
    table.push([
      name,
      `${which} (${pairs.length})`,
      `${percent(accuracy.value)} (${range(accuracy.interval)})`,
      percent(longerWins.value),
      `${percent(lead.value)} (${range(lead.interval)})`,
      `${calibration.error.value.toFixed(3)} (${calibration.errorByChance.value.toFixed(3)})`,
      calibration.logLoss.toFixed(3),
      lengthCorrelation.spearman?.value.toFixed(2) ?? '',
      lengthCorrelation.pearson?.value.toFixed(2) ?? '',
    ]);
  }
}

/** The same words in random order, which is not a real answer. */
function shuffledWords({ prompt, completion }: RewardRow, seed: number): RewardRow {
  const words = texts(completion).split(/\s+/);
  const mixed = Array.from(shuffledOrder(words.length, seed, 0), (at) => words[at]!).join(' ');
  return {
    prompt,
    completion: isChat(completion) ? [{ role: 'assistant', content: mixed }] : mixed,
  };
}

type Heads = { heads: readonly number[] };
const byMember = (scores: readonly Heads[]): number[][] =>
  Array.from(scores[0]!.heads, (_, member) => scores.map(({ heads }) => heads[member]!));

/** Combines the members' scores by another rule. */
function combined(scored: readonly Scored[], rule: 'mean' | 'minimum' | 'lower_bound'): Scored[] {
  const side = (which: 'chosen' | 'rejected'): Scored['chosen'][] => {
    const own = scored.map((pair) => pair[which]);
    const scores = combineEnsemble(byMember(own), rule);
    return own.map((one, index) => ({ ...one, score: scores[index]! }));
  };
  const chosen = side('chosen');
  const rejected = side('rejected');
  return scored.map(({ kept }, pair) => ({
    chosen: chosen[pair]!,
    rejected: rejected[pair]!,
    kept,
  }));
}

const spreads: string[] = [];
function reportSpread(name: string, answers: string, scores: readonly Heads[]): void {
  const spread = ensembleDeviation(byMember(scores));
  const mean = spread.reduce((sum, one) => sum + one, 0) / spread.length;
  spreads.push(`| ${name} | ${answers} | ${mean.toFixed(3)} |\n`);
}

/**
 * An ensemble's results for each rule, and the spread of its members inside and outside the
 * training data.
 */
async function reportEnsemble(
  name: string,
  rewards: RewardModel,
  rows: readonly PreferenceRow[],
): Promise<void> {
  const scored = await scoresOn(rows, rewards);
  for (const rule of ['mean', 'minimum', 'lower_bound'] as const) {
    report(`${name}, ${rule}`, combined(scored, rule));
  }
  reportSpread(
    name,
    'test, chosen',
    scored.map(({ chosen }) => chosen),
  );
  const mixed = rows.map(({ prompt, chosen }, seed) =>
    shuffledWords({ prompt, completion: chosen }, seed),
  );
  reportSpread(name, 'test, words shuffled', await rewards.scoreRows(mixed));
  if (values.other === undefined) return;
  await using other = await openEither(
    { data: [values.other], onBadRow: 'fail' },
    'preference',
    'completion',
  );
  const most = Math.min(other.length, rows.length);
  const found = await other.readMany(Array.from({ length: most }, (_, row) => row));
  const others = found.map((row) => ({
    prompt: row.prompt,
    completion: 'completion' in row ? row.completion : row.chosen,
  }));
  reportSpread(name, 'from another source', await rewards.scoreRows(others));
}

try {
  await using opened = await openRows([test], { kind: 'preference' });
  const rows = await opened.readMany(Array.from({ length: opened.length }, (_, row) => row));
  const finals: string[] = [];
  const count = Math.max(values.seeds.split(',').length, Number(values.members));
  const seeds = values.seeds.split(',').map(Number);
  while (seeds.length < count) seeds.push(Math.max(...seeds) + 1);
  for (const [index, seed] of seeds.entries()) {
    const final = await trained(`${prefix}seed-${seed}`, { seed });
    finals.push(final);
    using rewards = await RewardModel.open(final);
    if (index < values.seeds.split(',').length)
      report(
        `${values['length-head'] ? 'length head, ' : ''}seed ${seed}`,
        await scoresOn(rows, rewards),
      );
  }
  const members = finals.slice(0, Number(values.members));
  if (members.length > 1) {
    using rewards = await RewardModel.open(members);
    await reportEnsemble(`${members.length} adapters`, rewards, rows);
  }
  const heads = Number(values.heads ?? 1);
  if (heads > 1) {
    using rewards = await RewardModel.open(await trained(`${heads}-heads`, { seed: 1, heads }));
    await reportEnsemble(`${heads} heads`, rewards, rows);
  }
  if (values.python !== undefined) await compareWithTrl(rows, values.python);
  const head = [
    'model',
    'test pairs',
    'accuracy (95%)',
    'longer wins',
    'lead (95%)',
    'calibration error (by chance)',
    'log loss',
    'length rho',
    'length r',
  ];
  for (const one of [head, head.map(() => '---'), ...table]) {
    process.stdout.write(`| ${one.join(' | ')} |\n`);
  }
  if (spreads.length > 0) {
    process.stdout.write('\n| ensemble | answers | mean deviation of members |\n');
    process.stdout.write(`|---|---|---|\n${spreads.join('')}`);
  }
} finally {
  if (values.folder === undefined) rmSync(folder, { recursive: true, force: true });
}

/** Trains both with the same model, rows, order and steps. */
async function compareWithTrl(rows: readonly PreferenceRow[], python: string): Promise<void> {
  const lines = readFileSync(train!, 'utf8').trim().split('\n').slice(0, Number(values.rows));
  const some = join(folder, 'some.jsonl');
  writeFileSync(some, lines.map((line) => `${line}\n`).join(''));
  using rewards = await RewardModel.open(await trained('some-rows', { seed: 1, data: some }));
  report(`Keel, ${lines.length} rows`, await scoresOn(rows, rewards));
  const answers = rows.flatMap(({ prompt, chosen, rejected }) => [
    [...(prompt as object[]), ...(chosen as object[])],
    [...(prompt as object[]), ...(rejected as object[])],
  ]);
  const chats = join(folder, 'chats.jsonl');
  writeFileSync(chats, jsonLines(answers.map((messages) => ({ messages }))));
  const model = join(folder, 'model');
  const script = (name: string): string => fileURLToPath(new URL(`trl/${name}`, import.meta.url));
  execFileSync(python, [script('export-model.py'), await ensureDefaultModel(), model], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  say('training with TRL');
  const flags = Object.entries({
    model,
    data: some,
    score: chats,
    'batch-size': usual.batchSize,
    'learning-rate': usual.learningRate,
    ...(usual.maxSteps !== null && { steps: usual.maxSteps }),
  }).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const output = execFileSync(python, [script('reward-accuracy.py'), ...flags], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const scores = JSON.parse(output.trim().split('\n').at(-1)!) as number[];
  const own = await scoresOn(rows, rewards);
  const byTrl = own.map(
    (pair, index): Scored => ({
      ...pair,
      chosen: { ...pair.chosen, score: scores[2 * index]! },
      rejected: { ...pair.rejected, score: scores[2 * index + 1]! },
    }),
  );
  report(`TRL, ${lines.length} rows`, byTrl);
}
