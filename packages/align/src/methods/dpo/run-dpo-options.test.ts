// Options of beta over a run on pairs, and pairs that a run does not train on.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { logRatioMargin, type PairedObjective } from '../../objectives/paired.ts';
import { sigmoid } from '../../objectives/sigmoid.ts';
import { expectSameRun, metricsOf } from '../../testing/run-files.ts';
import { stopping } from '../../testing/stopping.ts';
import { tinyRows, writeRowsFile, writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import { tinyRun } from '../../testing/tiny-run.ts';
import { defineDpoOptions } from '../pairs/dpo-options.ts';
import { type AlignPairsOptions, alignPairs } from './run-dpo.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-dpo-options-'));
const inside = (name: string): string => join(folder, name);
let data: string;
let runs = 0;
beforeAll(() => {
  writeTinyChatModel(inside('model'));
  data = writeRowsFile(folder, tinyRows(10));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const optionsOf = (own: Partial<AlignPairsOptions> = {}): AlignPairsOptions => ({
  ...{ model: inside('model'), data: [data], output: inside(`run-${runs++}`) },
  ...{ ...tinyRun, lora: true, loraRank: 4, ...own },
});
const steps = (run: string) => metricsOf(run).filter(({ loss }) => loss !== undefined);

it('beta goes from --beta to --beta-final, and a resumed run continues the schedule', async () => {
  const shape = {
    ...{ betaSchedule: 'linear' as const, beta: 0.5, betaFinal: 0.1, maxSteps: 5, saveSteps: 1 },
    evalData: [data],
  };
  const whole = optionsOf(shape);
  await alignPairs(whole);
  const logged = steps(whole.output);
  expect(logged.map(({ beta }) => Number((beta as number).toFixed(6)))).toEqual([
    ...[0.5, 0.4, 0.3, 0.2, 0.1],
  ]);
  // Rewards use the step's own beta: the first two steps differ from those without a schedule only
  // by it.
  const constant = optionsOf({ ...shape, betaSchedule: 'constant', betaFinal: null });
  await alignPairs(constant);
  expect(steps(constant.output)[0]!.beta).toBeUndefined();
  const margin = (run: string) => steps(run)[1]!['rewards/margins'] as number;
  expect(margin(whole.output) / margin(constant.output)).toBeCloseTo(0.8, 6);
  const broken = optionsOf(shape);
  await alignPairs(broken, stopping(2));
  await alignPairs({ ...broken, resume: true });
  expectSameRun(broken.output, whole.output);
});

it('a schedule of beta needs both of its options', async () => {
  for (const [own, message] of [
    [{ betaSchedule: 'linear' }, /betaFinal: .*betaSchedule linear/s],
    [{ betaFinal: 0.1 }, /betaFinal: .*betaSchedule constant/s],
    [{ betaSchedule: 'cosine', betaFinal: 1, loss: ['sigmoid', 'ipo'] }, /betaSchedule: .*ipo/s],
    [{ betaSchedule: 'cosine', betaFinal: 1, loss: ['slic'] }, /betaSchedule: .*slic/s],
  ] as const) {
    const options = optionsOf({ ...own, loss: [...('loss' in own ? own.loss : ['sigmoid'])] });
    await expect(alignPairs(options)).rejects.toThrow(message);
  }
});

it('--drop-below-margin excludes pairs from the gradient, and counts them', async () => {
  const floor = -1e-4;
  // Every pair also the other way round: the policy considers one of the two wrong.
  const both = tinyRows(4).flatMap((row) => [
    row,
    { ...row, chosen: row.rejected, rejected: row.chosen },
  ]);
  const contradicting = writeRowsFile(mkdtempSync(inside('rows-')), both);
  const seen: { margin: number; loss: number }[][] = [];
  const objective: PairedObjective = {
    ...sigmoid,
    loss(scores, options) {
      const losses = sigmoid.loss(scores, { ...options, labelSmoothing: 0 });
      const margins = logRatioMargin(scores).detach().mul(options.beta).toArray();
      const values = losses.detach().toArray();
      seen.push(margins.map((margin, at) => ({ margin, loss: values[at]! })));
      return losses;
    },
  };
  const options = optionsOf({
    data: [contradicting],
    dropBelowMargin: floor,
    maxSteps: 6,
    microBatchSize: 4,
  });
  await alignPairs(options, { objective });
  const logged = steps(options.output);
  expect(logged).toHaveLength(seen.length);
  for (const [at, pairs] of seen.entries()) {
    const kept = pairs.filter(({ margin }) => margin >= floor);
    expect(logged[at]!.dropped).toBeCloseTo(1 - kept.length / pairs.length, 12);
    const loss = kept.reduce((sum, one) => sum + one.loss, 0) / pairs.length;
    expect(logged[at]!.loss).toBeCloseTo(loss, 5);
  }
  expect(logged[0]!.dropped).toBe(0);
  expect(logged.some(({ dropped }) => (dropped as number) > 0)).toBe(true);
});

it('--drop-below-margin is refused if pairs have no separate margins', async () => {
  const dropping = { dropBelowMargin: -1, model: inside('no-model') };
  await expect(alignPairs(optionsOf({ ...dropping, loss: ['aot'] }))).rejects.toThrow(
    /dropBelowMargin: .*aot compares/s,
  );
  await expect(alignPairs(optionsOf({ ...dropping, loss: ['simpo'] }))).rejects.toThrow(
    /dropBelowMargin: .*simpo/s,
  );
});

it('--batch-order length_stratified puts short and long chosen answers in every step', async () => {
  // In the first half, chosen answers are longer by 1 to 4 characters; in the second, shorter.
  const rows = Array.from({ length: 8 }, (_, at) => {
    const [long, short] = ['wo'.repeat(3 + (at % 4)), 'wo'];
    const [chosen, rejected] = at < 4 ? [long, short] : [short, long];
    return { prompt: `hello ${at}`, chosen, rejected, extra: {} };
  });
  const steps: number[][] = [];
  const objective: PairedObjective = {
    ...sigmoid,
    loss(scores, options) {
      const longer = scores.tokensChosen.sub(scores.tokensRejected).toArray();
      steps.push(longer.map(Math.sign));
      return sigmoid.loss(scores, options);
    },
  };
  const data = [writeRowsFile(mkdtempSync(inside('rows-')), rows)];
  const options = optionsOf({ data, batchSize: 2, microBatchSize: 2, maxSteps: 8 });
  await alignPairs({ ...options, batchOrder: 'length_stratified' }, { objective });
  expect(steps).toHaveLength(8);
  for (const step of steps) expect(step.toSorted()).toEqual([-1, 1]);
  const ordered = optionsOf({ batchOrder: 'length_stratified', shuffle: false });
  await expect(alignPairs(ordered)).rejects.toThrow(/batchOrder: .*shuffle: false/s);
});

/** The rows with an additional field. */
function withField(name: string, field: (at: number) => object): string {
  const own = inside(name);
  const lines = tinyRows(10).map(({ extra, ...row }, at) =>
    JSON.stringify({ ...row, ...field(at) }),
  );
  writeFileSync(own, `${lines.join('\n')}\n`);
  return own;
}

it('rows may have their own betas', async () => {
  const usual = optionsOf({ beta: 0.3 });
  await alignPairs(usual);
  // Some rows have the field, the others use --beta, with the same value.
  const same = withField('same.jsonl', (at) => (at % 2 ? { strength: 0.3 } : {}));
  const told = optionsOf({ data: [same], betaField: 'strength', beta: 0.3 });
  await alignPairs(told);
  expect(steps(told.output).map(comparable)).toEqual(steps(usual.output).map(comparable));

  const mixed = withField('mixed.jsonl', (at) => ({ strength: at % 2 ? 0.1 : 0.9 }));
  const own = { data: [mixed], betaField: 'strength', saveSteps: 1, evalData: [mixed] };
  const whole = optionsOf(own);
  await alignPairs(whole);
  expect(steps(whole.output)[0]!.loss).toBeCloseTo(Math.LN2, 6);
  expect(steps(whole.output)[2]!['rewards/margins']).not.toBeCloseTo(
    steps(usual.output)[2]!['rewards/margins'] as number,
    3,
  );
  const cut = optionsOf({ ...own, microBatchSize: 3 });
  await alignPairs(cut);
  steps(cut.output).forEach((step, at) => {
    const expected = steps(whole.output)[at]!;
    for (const name of ['loss', 'grad_norm', 'rewards/margins']) {
      const value = expected[name] as number;
      // Other passes round differently.
      expect(Math.abs((step[name] as number) - value)).toBeLessThan(1e-5 * (1 + Math.abs(value)));
    }
  });
  const broken = optionsOf(own);
  await alignPairs(broken, stopping(2));
  await alignPairs({ ...broken, resume: true });
  expectSameRun(broken.output, whole.output);
});

it("a row's invalid beta is reported with its place", async () => {
  const bad = withField('bad.jsonl', (at) => ({ strength: at === 3 ? 'strong' : 0.1 }));
  await expect(alignPairs(optionsOf({ data: [bad], betaField: 'strength' }))).rejects.toThrow(
    /bad\.jsonl:4: field "strength": expected a number above 0.*found "strong"/s,
  );
  for (const [own, message] of [
    [{ loss: ['slic'] }, /betaField: .*slic/s],
    [{ loss: ['aot'] }, /betaField: .*aot compares/s],
    [{ loss: ['plackett_luce'] }, /betaField: .*plackett_luce compares/s],
    [{ loss: ['sigmoid', 'ipo'] }, /betaField: .*sigmoid, ipo/s],
    [{ betaSchedule: 'linear', betaFinal: 1 }, /betaField: .*betaSchedule/s],
  ] as const)
    await expect(
      alignPairs(optionsOf({ ...own, betaField: 'strength' } as never)),
      String(message),
    ).rejects.toThrow(message);
});

it('a beta may be text, as in CSV, and an empty cell means the default', async () => {
  const numbers = withField('numbers.jsonl', (at) => (at % 2 ? { strength: 0.4 } : {}));
  const texts = withField('texts.jsonl', (at) => ({ strength: at % 2 ? ' 0.4' : '' }));
  const [asNumbers, asTexts] = [numbers, texts].map((data) =>
    optionsOf({ data: [data], betaField: 'strength' }),
  ) as [AlignPairsOptions, AlignPairsOptions];
  await alignPairs(asNumbers);
  await alignPairs(asTexts);
  expect(steps(asTexts.output).map(comparable)).toEqual(steps(asNumbers.output).map(comparable));
});

it('refuses a field that no row has, and betas of rows for a coupled objective', async () => {
  const data = [withField('without.jsonl', () => ({ strength: null, margin: 2 }))];
  for (const betaField of ['strength', 'strenght', 'margin'])
    await expect(alignPairs(optionsOf({ data, betaField })), betaField).rejects.toThrow(
      new RegExp(`--beta-field ${betaField}: none of the 10 rows of .*without\\.jsonl has`),
    );
  const own = { data: [withField('with.jsonl', () => ({ strength: 1 }))], betaField: 'strength' };
  // The options of such a run pass the schema, which does not know its objective.
  const { schema } = defineDpoOptions();
  expect(schema.safeParse({ ...own, output: 'run', loss: ['mine'] }).success).toBe(true);
  const coupled: PairedObjective = { ...sigmoid, name: 'mine', coupled: true };
  await expect(alignPairs(optionsOf(own), { objective: coupled })).rejects.toThrow(
    /^--beta-field: .*\bmine compares/,
  );
  const free: PairedObjective = { ...sigmoid, name: 'mine', needsReference: false };
  const moving = { referenceSyncSteps: 1 };
  await expect(alignPairs(optionsOf(moving), { objective: free })).rejects.toThrow(
    /^--reference-sync-steps: .*\bmine\b/,
  );
  const none = { reference: 'none' };
  await expect(alignPairs(optionsOf(none), { objective: sigmoid })).rejects.toThrow(
    /^--reference: .*\bsigmoid\b/,
  );
});

const comparable = ({ loss, grad_norm, ...row }: ReturnType<typeof steps>[number]) => [
  ...[loss, grad_norm],
  ...['rewards/chosen', 'rewards/rejected', 'rewards/margins'].map((name) => row[name]),
];
