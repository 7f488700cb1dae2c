// What the trainer provides to objectives: no reference pass if they need none, the whole step,
// first tokens, running means.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addLora, type LanguageModel } from '@keel/model';
import { fromTypedArray, manualSeed, noGrad, setThreads, type Tensor, tidy } from '@keel/torch';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type PackedPairs, packPairs } from '../../batching/pack-pairs.ts';
import { tokenisePair } from '../../batching/tokenise-pair.ts';
import type { PreferenceRow } from '../../data/rows.ts';
import { completeOptions } from '../../objectives/mixture.ts';
import type { PairedObjective } from '../../objectives/paired.ts';
import { pairedObjective, pairedObjectiveNames } from '../../objectives/registry.ts';
import { RowReference } from '../../reference/reference.ts';
import { cachedFolder } from '../../testing/cached-folder.ts';
import { metricsOf } from '../../testing/run-files.ts';
import { loadTiny, rowsOf, tinyRows, writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import { type Pass, passes } from '../../training/passes.ts';
import { type AlignPairsOptions, alignPairs } from '../dpo/run-dpo.ts';
import { PairSource, type PlacedPair, pairPacking } from './pair-source.ts';
import { PairedTask } from './paired-task.ts';
import { pairScoring, scorePairs } from './score-pairs.ts';

const folder = cachedFolder();
let data: string;
let runs = 0;
setThreads(1);
const rows = tinyRows(8).map((row, at) => ({ ...row, score_chosen: 2 + at, score_rejected: 1 }));
beforeAll(() => {
  writeTinyChatModel(join(folder, 'model'));
  data = writeScored('rows.jsonl', rows);
});

function writeScored(name: string, scored: readonly PreferenceRow[]): string {
  const path = join(folder, name);
  writeFileSync(path, scored.map(({ extra: _, ...row }) => `${JSON.stringify(row)}\n`).join(''));
  return path;
}

const optionsOf = (own: Partial<AlignPairsOptions>): AlignPairsOptions => ({
  ...{ model: join(folder, 'model'), data: [data], output: join(folder, `run-${runs++}`) },
  ...{ precision: 'fp32', lora: true, loraRank: 2, batchSize: 4, microBatchSize: 2, threads: 1 },
  ...{ maxSteps: 2, saveSteps: null, learningRate: 1e-2 },
  ...own,
});

interface Trained extends Disposable {
  model: LanguageModel;
  task: PairedTask;
  gradients(): number[];
}

/** A LoRA task whose policy has moved away from the start. */
async function training(
  objective: PairedObjective,
  passRows: number,
  beta?: number,
): Promise<Trained> {
  manualSeed(1);
  const model = await loadTiny(join(folder, 'model'), 'float32');
  const lora = { rank: 2, alpha: 4, dropout: 0, targets: 'all-linear', seed: 1 } as const;
  const parameters = addLora(model.decoder, 'policy', lora);
  for (const [name, one] of parameters) if (name.includes('lora_B')) one.detach().fill_(0.05);
  const sourceOptions = { seed: 3, shuffle: false, maxLength: null };
  const source = new PairSource(rowsOf(rows), model.tokenizer, sourceOptions);
  const task = new PairedTask({
    ...{ model, role: 'policy', source, evaluation: source, objective, batchSize: 8 },
    objectiveOptions: completeOptions(objective, { beta }),
    limit: { rows: passRows, tokens: null },
    reference: new RowReference({
      ...{ model, scoring: pairScoring(objective.needs?.includes('shared') ?? false) },
      rows: { training: 8, heldOut: 0 },
    }),
  });
  return {
    model,
    task,
    gradients: () =>
      [...parameters.values()].flatMap((parameter) => {
        using gradient = parameter.grad;
        return gradient?.toArray() ?? [];
      }),
    [Symbol.dispose]() {
      for (const parameter of parameters.values()) parameter.grad = null;
      model.dispose();
    },
  };
}

describe('without a reference', () => {
  const free = pairedObjectiveNames.filter((name) => !pairedObjective(name).needsReference);

  it.each([
    ['LoRA', true],
    ['full fine-tuning', false],
  ])('no objective that needs none makes a reference pass: %s', async (_, lora) => {
    const passes = vi.spyOn(RowReference.prototype, 'logprobs');
    const options = optionsOf({ loss: free, reference: 'none', lora, loraRank: 2 });
    await alignPairs(options);
    expect(passes).not.toHaveBeenCalled();
    expect(metricsOf(options.output)[0]).not.toHaveProperty('rewards/margins');
    await alignPairs(optionsOf({ loss: ['simpo'] }));
    expect(passes).not.toHaveBeenCalled();
    await alignPairs(optionsOf({ loss: ['simpo', 'sigmoid'] }));
    expect(passes).toHaveBeenCalled();
    passes.mockRestore();
  });

  it('--reference none is refused by all other objectives', async () => {
    await expect(alignPairs(optionsOf({ loss: ['ipo'], reference: 'none' }))).rejects.toThrow(
      /reference: .*\bipo\b.*reference none/s,
    );
  });
});

describe('every objective', () => {
  it.each(
    pairedObjectiveNames,
  )('%s takes a step whose gradient does not depend on the passes', async (name) => {
    const found: { loss: number; gradient: number[] }[] = [];
    for (const passRows of [8, 3, 1]) {
      using one = await training(pairedObjective(name), passRows);
      const { loss } = await one.task.step();
      found.push({ loss: loss!, gradient: one.gradients() });
    }
    const [whole, ...others] = found;
    const size = (values: number[]): number => Math.hypot(...values);
    expect(size(whole!.gradient)).toBeGreaterThan(1e-6);
    for (const { loss, gradient } of others) {
      expect(Math.abs(loss - whole!.loss)).toBeLessThan(2e-5 * Math.max(1, Math.abs(whole!.loss)));
      const off = gradient.map((value, at) => value - whole!.gradient[at]!);
      expect(size(off)).toBeLessThan(1e-4 * size(whole!.gradient));
    }
  });
});

describe('the inputs of an objective', () => {
  it('first tokens are as many as the shorter answer has', async () => {
    const model = await loadTiny(join(folder, 'model'), 'float64');
    const pairs = rows.map((row) => tokenisePair(row, model.tokenizer, { maxLength: null })!);
    const cut = pairs.map((pair) => {
      const length = Math.min(pair.chosen.tokens.length, pair.rejected.tokens.length);
      const short = ({ tokens, scored }: typeof pair.chosen) => ({
        tokens: tokens.slice(0, length),
        scored: scored.slice(0, length),
      });
      return { ...pair, chosen: short(pair.chosen), rejected: short(pair.rejected) };
    });
    const sums = (of: typeof pairs, read: 'sums' | 'shared'): number[] =>
      tidy(() =>
        noGrad(() => scorePairs(model, packPairs(of), false, { shared: true })[read]!.toArray()),
      );
    // Every token of these answers is scored.
    expect(
      pairs.every(
        ({ chosen, rejected }) => ![...chosen.scored, ...rejected.scored].includes(false),
      ),
    ).toBe(true);
    const expected = sums(cut, 'sums');
    const whole = sums(pairs, 'sums');
    sums(pairs, 'shared').forEach((value, at) => {
      expect(value).toBeCloseTo(expected[at]!, 10);
    });
    expect(whole.filter((value, at) => Math.abs(value - expected[at]!) > 1e-6)).toHaveLength(8);
    model.dispose();
  });

  it('the alignment is the mean of log p over the sum of squares', async () => {
    const model = await loadTiny(join(folder, 'model'), 'float64');
    const batch = packPairs([tokenisePair(rows[1]!, model.tokenizer, { maxLength: null })!]);
    tidy(() =>
      noGrad(() => {
        const { alignment } = scorePairs(model, batch, false, { alignment: true });
        const { rows: predicting, targets } = batch.scored;
        const index = (values: Int32Array): Tensor => fromTypedArray(values).to('int64');
        const states = model.hidden(batch.packed).indexSelect(0, index(predicting));
        const logs = states.linear(model.decoder.weights.head).logSoftmax(1); // [N, V]
        const own = logs.gather(1, index(targets).unsqueeze(1)).squeeze(1);
        const terms = own.sub(logs.mul(2).exp().sum(1).log()).toArray();
        [0, 1].forEach((answer) => {
          const mine = terms.filter((_, at) => batch.sequences[at] === answer);
          const mean = mine.reduce((sum, one) => sum + one, 0) / mine.length;
          expect(alignment!.toArray()[answer]).toBeCloseTo(mean, 10);
        });
      }),
    );
    model.dispose();
  });

  it('ld_dpo starts at ln 2, even with a cached reference', async () => {
    for (const precomputeReference of [false, true, true]) {
      const options = optionsOf({ loss: ['ld_dpo'], precomputeReference, maxSteps: 1 });
      await alignPairs(options);
      expect(metricsOf(options.output)[0]!.loss).toBeCloseTo(Math.LN2, 6);
    }
  });

  it("bco_pair's delta is the mean reward of earlier steps, and is saved", async () => {
    const means: unknown[] = [];
    for (const passRows of [8, 3]) {
      using one = await training(pairedObjective('bco_pair'), passRows);
      const first = await one.task.step();
      const state = tidy(() => one.task.state().values.running) as {
        bcoDelta: { mean: number; count: number };
      };
      expect(state.bcoDelta.count).toBe(8);
      const expected = (first['rewards/chosen']! + first['rewards/rejected']!) / 2;
      expect(Math.abs(expected)).toBeGreaterThan(1e-4);
      expect(state.bcoDelta.mean).toBeCloseTo(expected, 5);
      const second = await one.task.step();
      expect(second.loss).not.toBe(first.loss);
      means.push(state.bcoDelta.mean);
    }
    expect(means[0]).toBeCloseTo(means[1] as number, 5);
  });

  it('a state with other running means is refused', async () => {
    using one = await training(pairedObjective('bco_pair'), 8);
    using other = await training(pairedObjective('sigmoid'), 8);
    tidy(() => {
      expect(() => one.task.restore(other.task.state())).toThrow(/running means .*bcoDelta/);
      one.task.restore(one.task.state());
    });
  });
});

describe('rows that do not fit the objective', () => {
  const without = (): string => writeScored('plain.jsonl', tinyRows(3));

  it('without scores are refused before the model is loaded', async () => {
    const options = optionsOf({ loss: ['odpo'], data: [without()], model: '/nowhere' });
    await expect(alignPairs(options)).rejects.toThrow(
      /plain\.jsonl:1: field "score_chosen": expected scores of both answers, which --loss odpo needs.*"margin"/,
    );
    await expect(alignPairs({ ...options, loss: ['rebel'] })).rejects.toThrow(/--loss rebel needs/);
  });

  it('because the chosen answer has the lower score are refused by odpo only', async () => {
    const worse = [{ ...rows[0]!, score_chosen: 1, score_rejected: 3 }, ...rows.slice(1)];
    const path = writeScored('worse.jsonl', worse);
    await expect(alignPairs(optionsOf({ loss: ['odpo'], data: [path] }))).rejects.toThrow(
      /worse\.jsonl:1: .*scored above the rejected one.*found a difference of -2.*--on-bad-row skip/,
    );
    const skipped: string[] = [];
    const options = optionsOf({ loss: ['odpo'], data: [path], onBadRow: 'skip', maxSteps: 1 });
    await alignPairs(options, {
      onEvent: (event) => void (event.type === 'notice' && skipped.push(event.text)),
    });
    expect(skipped.join()).toMatch(/1 rows of .*, the first: /);
    await alignPairs(optionsOf({ loss: ['rebel'], data: [path], maxSteps: 1 }));
  });

  it('for lack of scores may have a margin instead', async () => {
    const path = writeScored(
      'margins.jsonl',
      tinyRows(4).map((row) => ({ ...row, margin: 0.5 })),
    );
    const options = optionsOf({ loss: ['rebel'], data: [path], maxSteps: 1 });
    await alignPairs(options);
    // The policy is its reference: (0 - 0.5)^2
    expect(metricsOf(options.output)[0]!.loss).toBeCloseTo(0.25, 6);
  });
});

describe('complaints about others', () => {
  it('a precomputed reference is used and not ignored', async () => {
    using one = await training(pairedObjective('sigmoid'), 8);
    const { loss } = await one.task.step();
    using other = await training(pairedObjective('sigmoid'), 8);
    tidy(() => {
      const state = other.task.state();
      const known = new Float32Array(16).map((_, at) => (at % 2 === 0 ? -500 : -5));
      state.tensors.set('reference', fromTypedArray(known));
      other.task.restore(state);
    });
    expect((await other.task.step()).loss).not.toBeCloseTo(loss!, 2);
  });

  it('dropout is off in the reference pass, even if an adapter is the reference', async () => {
    manualSeed(1);
    const model = await loadTiny(join(folder, 'model'), 'float32');
    const lora = { rank: 2, alpha: 4, dropout: 0.5, targets: 'all-linear', seed: 1 } as const;
    for (const [name, one] of addLora(model.decoder, 'policy', lora))
      if (name.includes('lora_B')) one.detach().fill_(0.05);
    const pair = tokenisePair(rows[0]!, model.tokenizer, { maxLength: null })!;
    const batch = packPairs([pair]);
    const scored = async (): Promise<number[]> => {
      const parts = { model, role: 'policy', limit: { rows: 1, tokens: null } };
      const reference = new RowReference({
        ...{ ...parts, scoring: pairScoring(false), rows: { training: 1, heldOut: 0 } },
      });
      const options = { divisor: null, training: true };
      const work = async (pass: Pass<PlacedPair, PackedPairs>) =>
        (await reference.logprobs(pass)).whole;
      const done = await Array.fromAsync(
        passes(parts, [{ row: 0, pair }], pairPacking, options, work),
      );
      return done[0]!.found;
    };
    expect(await scored()).toEqual(await scored());
    const trained = (): number[] =>
      tidy(() =>
        noGrad(() => model.as('policy', () => scorePairs(model, batch, true).sums.toArray())),
      );
    expect(trained()).not.toEqual(trained());
    model.dispose();
  });

  it('config.yaml records the parts of a mixture', async () => {
    const options = optionsOf({ loss: ['sigmoid', 'simpo'], lossWeights: [1, 0.5], maxSteps: 1 });
    await alignPairs(options);
    const text = readFileSync(join(options.output, 'config.yaml'), 'utf8');
    expect(text).toMatch(/simpo_gamma: 1\n/);
    expect(text).not.toMatch(/odpo|rainbow/);
  });
});
