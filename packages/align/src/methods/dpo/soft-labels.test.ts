// Runs on rows whose labels have probabilities: `keel dpo`, `reward` and `kto`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PairedObjective } from '../../objectives/paired.ts';
import { pairedObjective, pairedObjectives } from '../../objectives/registry.ts';
import type { MetricsRow } from '../../runs/metrics.ts';
import { cachedFolder } from '../../testing/cached-folder.ts';
import { expectSameRun, metricsOf } from '../../testing/run-files.ts';
import { stopping } from '../../testing/stopping.ts';
import { tinyRows, writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import { tinyRun } from '../../testing/tiny-run.ts';
import type { RunHooks } from '../../training/run-training.ts';
import { type AlignUnpairedOptions, alignUnpaired } from '../answers/run-kto.ts';
import { type TrainRewardOptions, trainReward } from '../reward/run-reward.ts';
import { type AlignPairsOptions, alignPairs } from './run-dpo.ts';

const folder = cachedFolder();
const inside = (name: string): string => join(folder, name);
const pairs = tinyRows(8).map(({ prompt, chosen, rejected }) => ({ prompt, chosen, rejected }));
const probabilities = [1, 0, 0.5, 0.8, 0.3, 0.66, 0.9, 0.5];
let runs = 0;
let files = 0;
beforeAll(() => void writeTinyChatModel(inside('model')));

/** Writes rows to a new file. */
function file(rows: readonly object[]): string {
  const path = inside(`rows-${files++}.jsonl`);
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return path;
}

const soft = (chances: readonly number[]) =>
  file(pairs.map((row, at) => ({ ...row, label_probability: chances[at] })));
const all = (p: number) => soft(pairs.map(() => p));
const hard = () => file(pairs);

const usual = () => ({
  ...{ model: inside('model'), output: inside(`run-${runs++}`), lora: true, loraRank: 2 },
  ...tinyRun,
});
type Own<Options> = Partial<Options> & { data: string[] };

async function dpo(own: Own<AlignPairsOptions>, hooks: RunHooks = {}): Promise<string> {
  return (await alignPairs({ ...usual(), ...own } as AlignPairsOptions, hooks)).path;
}
async function reward(own: Own<TrainRewardOptions>, hooks: RunHooks = {}): Promise<string> {
  return (await trainReward({ ...usual(), ...own } as TrainRewardOptions, hooks)).path;
}
async function kto(own: Own<AlignUnpairedOptions>, hooks: RunHooks = {}): Promise<string> {
  return (await alignUnpaired({ ...usual(), ...own } as AlignUnpairedOptions, hooks)).path;
}

/** The last evaluation. */
const heldOut = (run: string): MetricsRow =>
  metricsOf(run).findLast((row) => row.eval_loss !== undefined)!;
/** The steps, with names of numbers that must be close. */
const steps = (run: string) => metricsOf(run).filter(({ loss }) => loss !== undefined);

describe('keel dpo', () => {
  it('with certain probabilities is the run without them, byte for byte', async () => {
    const plain = await dpo({ data: [hard()], evalData: [hard()], saveSteps: null });
    const found = await dpo({ data: [all(1)], evalData: [all(1)], saveSteps: null });
    expectSameRun(found, plain);
  });

  it('at 0 trains on the swapped pairs', async () => {
    const swapped = file(
      pairs.map(({ prompt, chosen, rejected }) => ({ prompt, chosen: rejected, rejected: chosen })),
    );
    const [found, expected] = [await dpo({ data: [all(0)] }), await dpo({ data: [swapped] })];
    const numbers = ['loss', 'grad_norm', 'rewards/margins', 'rewards/accuracies', 'logps/chosen'];
    for (const [at, row] of steps(expected).entries()) {
      for (const name of numbers)
        expect(steps(found)[at]![name], name).toBeCloseTo(row[name] as number, 4);
    }
    expect(steps(expected)).toHaveLength(3);
  });

  it.each([
    ['sigmoid', {}],
    ['ipo,hinge', { loss: ['ipo', 'hinge'], lossWeights: [1, 0.5] }],
    ['ld_dpo', { loss: ['ld_dpo'] }],
    ['bco_pair', { loss: ['bco_pair'] }],
    ['rows with betas', { betaField: 'b' }],
  ])('takes the same steps however they are divided into passes: %s', async (_, own) => {
    const rows = pairs.map((row, at) => ({
      ...row,
      ...{ label_probability: probabilities[at], b: at % 2 ? 0.2 : 0.4 },
    }));
    const data = [file(rows)];
    const found = [];
    for (const microBatchSize of [4, 1])
      found.push(steps(await dpo({ data, ...own, microBatchSize })));
    for (const [at, row] of found[0]!.entries()) {
      for (const name of ['loss', 'grad_norm', 'rewards/margins', 'rewards/accuracies'])
        expect(found[1]![at]![name], name).toBeCloseTo(
          row[name] as number,
          name === 'grad_norm' ? 1 : 3,
        );
    }
  });

  it('resumed matches the uninterrupted run, byte for byte', async () => {
    const shape = { data: [soft(probabilities)], evalData: [soft(probabilities)], maxSteps: 4 };
    const whole = await dpo({ ...shape, evalSteps: 2 });
    const output = inside('resumed');
    await dpo({ ...shape, evalSteps: 2, output }, stopping(2));
    await dpo({ ...shape, evalSteps: 2, output, resume: true });
    expectSameRun(output, whole);
  });

  it('compares with the more probable answer; equally probable ones count half', async () => {
    // Before the first step all pairs are tied.
    const before = await dpo({ data: [hard()], evalData: [soft(probabilities)], maxSteps: 1 });
    const first = metricsOf(before).find((row) => row.eval_loss !== undefined)!;
    expect(first['eval_rewards/accuracies']).toBe(0.5);
    // After training, swapping what is chosen changes no number but the loss of certain pairs.
    const swap = (rows: typeof pairs) =>
      rows.map(({ prompt, chosen, rejected }, at) => ({
        ...{ prompt, chosen: rejected, rejected: chosen },
        label_probability: 1 - probabilities[at]!,
      }));
    const shape = { data: [hard()], maxSteps: 6 };
    const one = heldOut(await dpo({ ...shape, evalData: [soft(probabilities)] }));
    const other = heldOut(await dpo({ ...shape, evalData: [file(swap(pairs))] }));
    const numbers = ['eval_loss', 'eval_rewards/accuracies'];
    for (const name of numbers) expect(other[name], name).toBeCloseTo(one[name] as number, 4);
    const even = heldOut(await dpo({ ...shape, evalData: [all(0.5)] }));
    expect(even['eval_rewards/accuracies']).toBe(0.5);
  });

  it('--drop-below-margin looks at the more probable answer', async () => {
    const swapped = pairs.map(({ prompt, chosen, rejected }) => ({
      ...{ prompt, chosen: rejected, rejected: chosen },
      label_probability: 0,
    }));
    const own = { maxSteps: 8, dropBelowMargin: -0.5 };
    const dropped = async (data: string): Promise<unknown[]> =>
      steps(await dpo({ ...own, data: [data] })).map((row) => row.dropped);
    const expected = await dropped(hard());
    expect(await dropped(file(swapped))).toEqual(expected);
    expect(expected.some((share) => (share as number) > 0)).toBe(true);
    expect(await dropped(all(0.5))).toEqual(Array(8).fill(0));
  });

  it.each([
    ...(pairedObjectives as readonly PairedObjective[])
      .filter(({ softLabels }) => !softLabels)
      .map(({ name }) => [name]),
    ['sigmoid', 'chosen_nll'],
    ['plackett_luce'],
  ])('refuses the field by name: --loss %s %s', async (...loss) => {
    const scored = { score_chosen: 2, score_rejected: 1 };
    const rows = pairs.map((row) => ({ ...row, ...scored, label_probability: 1 }));
    const path = file([...rows, { ...rows[0], label_probability: 0.9 }]);
    const names = loss.filter((name) => typeof name === 'string');
    const own = { data: [path], loss: names, model: inside('no-model') };
    const refused = new RegExp(
      `rows-\\d+\\.jsonl:9.*"label_probability".*${names.at(-1)}.*0\\.9`,
      's',
    );
    await expect(dpo(own)).rejects.toThrow(refused);
    await expect(dpo(own)).rejects.toThrow(/sigmoid, robust, ipo/);
    // A probability of 1 is a certain label.
    await expect(dpo({ ...own, data: [file(rows)] })).rejects.toThrow(/no-model/);
  });

  it("takes a program's own objective that supports them, and refuses another", async () => {
    const { loss } = pairedObjective('sigmoid');
    const own: PairedObjective = { name: 'own', needsReference: true, loss };
    const data = [soft(probabilities)];
    const run = (objective: PairedObjective) =>
      alignPairs({ ...usual(), data } as AlignPairsOptions, { objective });
    await expect(run(own)).rejects.toThrow(/"label_probability".*own/s);
    const { path } = await run({ ...own, softLabels: true });
    expect(steps(path).map(({ loss: one }) => one)).toEqual(
      steps(await dpo({ data })).map(({ loss: one }) => one),
    );
  });

  it('says how certain the labels are, in the plan, before the first step and in the report', async () => {
    const told: unknown[] = [];
    const path = await dpo(
      { data: [soft(probabilities)], evalData: [all(0.9)] },
      {
        onEvent(event) {
          if (event.type === 'plan')
            told.push(event.plan.facts.find(({ name }) => name === 'labels'));
          if (event.type === 'data') told.push(event.facts.training.probabilities);
        },
      },
    );
    const certainty = (1 + 1 + 0.5 + 0.8 + 0.7 + 0.66 + 0.9 + 0.5) / 8;
    const facts = { rows: 8, against: 2, even: 2, certainty: expect.closeTo(certainty, 12) };
    expect(told).toMatchObject([{ name: 'labels', data: facts }, facts]);
    expect(readFileSync(join(path, 'report.html'), 'utf8')).toMatch(
      /label_probability in 8 of 8 rows, mean certainty 0\.76/,
    );
    const plain: string[] = [];
    await dpo(
      { data: [hard()], dryRun: true },
      {
        onEvent: (event) =>
          event.type === 'plan' && plain.push(...event.plan.facts.map(({ name }) => name)),
      },
    );
    expect(plain).toContain('objective');
    expect(plain).not.toContain('labels');
  });
});

describe('keel reward', () => {
  it('with certain probabilities is the run without them, byte for byte', async () => {
    const plain = await reward({ data: [hard()], evalData: [hard()], saveSteps: null });
    const found = await reward({ data: [all(1)], evalData: [all(1)], saveSteps: null });
    expectSameRun(found, plain);
    const [ours, theirs] = [found, plain].map((run) =>
      readFileSync(join(run, 'reward-evaluation.json'), 'utf8'),
    );
    expect(ours).toBe(theirs);
  });

  it('is the cross-entropy to the probability, whatever answer is called chosen', async () => {
    const swapped = file(
      pairs.map(({ prompt, chosen, rejected }, at) => ({
        ...{ prompt, chosen: rejected, rejected: chosen },
        label_probability: 1 - probabilities[at]!,
      })),
    );
    const evalData = [soft(probabilities)];
    const [one, other] = [
      await reward({ data: [soft(probabilities)], evalData }),
      await reward({ data: [swapped], evalData: [swapped] }),
    ];
    for (const [at, row] of metricsOf(one).entries()) {
      const found = metricsOf(other)[at]!;
      for (const name of ['loss', 'eval_loss', 'grad_norm', 'accuracy', 'eval_accuracy']) {
        if (row[name] === undefined) continue;
        expect(found[name], name).toBeCloseTo(row[name] as number, 4);
      }
    }
    const even = heldOut(await reward({ data: [hard()], evalData: [all(0.5)] }));
    expect(even.eval_accuracy).toBe(0.5);
  });

  it('converges to the probability', async () => {
    const row = pairs[0]!;
    const own = { data: [file([{ ...row, label_probability: 0.8 }])], maxSteps: 60 };
    const one = { batchSize: 1, microBatchSize: 1 };
    const path = await reward({ ...own, ...one, learningRate: 1e-2, scheduler: 'constant' });
    const entropy = -0.8 * Math.log(0.8) - 0.2 * Math.log(0.2);
    expect(steps(path).at(-1)!.loss).toBeCloseTo(entropy, 2);
    expect(steps(path).at(-1)!.margin).toBeCloseTo(Math.log(4), 1);
  });

  it('refuses a margin or a language-modelling term next to an uncertain label', async () => {
    const noModel = { model: inside('no-model') };
    const rows = pairs.map((row) => ({ ...row, margin: 0.5, label_probability: 1 }));
    const own = { ...noModel, data: [file([...rows, { ...rows[0], label_probability: 0.9 }])] };
    await expect(reward(own)).rejects.toThrow(/:9.*"label_probability".*--margin none/s);
    await expect(reward({ ...own, margin: 'none' })).rejects.toThrow(/no-model/);
    const scores = { score_chosen: 2, score_rejected: 1, label_probability: 0.9 };
    const scored = { ...noModel, data: [file(pairs.map((row) => ({ ...row, ...scores })))] };
    await expect(reward({ ...scored, margin: 'scores' })).rejects.toThrow(/"label_probability"/);
    await expect(reward(scored)).rejects.toThrow(/no-model/);
    const imitating = { ...noModel, data: [all(0.9)], lmWeight: 0.1 };
    await expect(reward(imitating)).rejects.toThrow(/"label_probability".*--lm-weight/s);
  });
});

describe('keel kto', () => {
  const answers = (label: (at: number) => object) =>
    file(pairs.map(({ prompt, chosen }, at) => ({ prompt, completion: chosen, ...label(at) })));
  const certain = answers((at) => ({ label: at % 3 !== 0 }));

  it.each([
    'kto',
    'bco',
    'bco_balanced',
    'apo_zero_unpaired',
  ] as const)('with certain probabilities is the run without them, byte for byte: %s', async (loss) => {
    const own = { loss, undesirableWeight: 1.33, saveSteps: null };
    const plain = await kto({ ...own, data: [certain], evalData: [certain] });
    const sure = answers((at) => ({
      label: at % 3 !== 0,
      label_probability: Number(at % 3 !== 0),
    }));
    expectSameRun(await kto({ ...own, data: [sure], evalData: [sure] }), plain);
  });

  it.each([
    ['kto', 0.5],
    ['bco', Math.LN2],
  ] as const)('weights both labels by their probabilities: %s', async (loss, initial) => {
    const data = [answers((at) => ({ label: true, label_probability: probabilities[at] }))];
    const own = { loss, desirableWeight: 2, batchSize: 8, data, evalData: data, maxSteps: 1 };
    const mean = probabilities.reduce((sum, p) => sum + 2 * p + (1 - p), 0) / 8;
    const [held, first] = metricsOf(await kto(own));
    expect(first!.loss).toBeCloseTo(mean * initial, 5);
    expect(held!.eval_loss).toBeCloseTo(mean * initial, 5);
  });

  it('an uncertain label is both labels, so one of them alone is enough', async () => {
    const data = [answers(() => ({ label: true, label_probability: 0.7 }))];
    expect(steps(await kto({ data }))).toHaveLength(3);
    const sure = [answers(() => ({ label: true, label_probability: 1 }))];
    await expect(kto({ data: sure })).rejects.toThrow(/true.*8/s);
  });
});
