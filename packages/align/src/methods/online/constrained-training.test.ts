// Online methods whose answers match a constraint: what they sample, and what they compute.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LanguageModel } from '@keel/model';
import { AdamW, fromTypedArray, setThreads, type Tensor, tidy } from '@keel/torch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AnswerConstraints } from '../../batching/answer-constraints.ts';
import { packRollouts } from '../../batching/pack-rollouts.ts';
import { Rollouts } from '../../rollouts/rollouts.ts';
import { sampleRollouts } from '../../rollouts/sample-rollouts.ts';
import { rolloutLogprobs } from '../../rollouts/score-rollouts.ts';
import { writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import { methodOf, type Verb } from './fixtures/method-of.ts';
import { batchOf, gradientsOf, type TinyOnline, tinyOnline } from './fixtures/tiny-online.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-constrained-'));
beforeAll(() => void writeTinyChatModel(folder));
setThreads(1);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PATTERN = '[0-9]{1,3}(hello|x)';
const constraint = { kind: 'regex', pattern: PATTERN } as const;
const whole = new RegExp(`^(?:${PATTERN})$`);
const verbs = Object.keys(methodOf) as Verb[];

/** The samples of every batch. */
const answersOf = ({ task, model, constraints }: TinyOnline) => {
  const { rollouts } = batchOf({ task, constraints } as TinyOnline);
  return rollouts.completions.map((tokens) => ({
    text: model.tokenizer.decode(tokens.filter((token) => token !== 0)),
    ended: tokens.at(-1) === 0,
  }));
};

describe('every online method', () => {
  it.each(verbs)('samples answers that match, and trains on them: %s', async (verb) => {
    // The pair of equal answers would be skipped, so rewards differ by the text.
    const reward = ({ text }: { text: string }) => text.length + text.charCodeAt(0) / 100;
    const method = methodOf[verb]({ numGenerations: 4, maxNewTokens: 12 });
    using online = await tinyOnline(folder, { method, constraint, reward, epochs: 2, moved: true });
    const optimiser = new AdamW(online.parameters);
    for (let step = 0; step < 4; step++) {
      for (const parameter of online.parameters.values()) parameter.grad = null;
      const metrics = await online.task.step();
      for (const [name, value] of Object.entries(metrics)) {
        expect(Number.isFinite(value), `${name} = ${value}`).toBe(true);
      }
      // After the first step on a batch, which has two.
      if (step % 2 === 0) {
        const answers = answersOf(online);
        expect(answers.filter(({ ended }) => !ended)).toEqual([]);
        for (const { text } of answers) expect(text).toMatch(whole);
      }
      optimiser.step(0.01);
    }
    optimiser.dispose();
  });
});

describe('the first step on a batch', () => {
  it.each(['ppo', 'grpo', 'rloo'] as const)('of %s has a ratio of exactly 1', async (verb) => {
    for (const temperature of [1, 0.6]) {
      const method = methodOf[verb]({ beta: 0.1, klIn: 'reward', temperature });
      const limit = { rows: null, tokens: 60 };
      const setting = {
        method,
        constraint,
        limit,
        moved: true,
        epochs: 2,
        type: 'float32',
      } as const;
      using online = await tinyOnline(folder, setting);
      const metrics = await online.task.step();
      expect(metrics).toMatchObject({
        'val/ratio': 1,
        'val/ratio_var': 0,
        'policy/clipfrac_avg': 0,
        'policy/approxkl_avg': 0,
      });
      // The sampler, which masks logits, and the training path agree.
      expect(metrics['sampling/sampling_logp_difference/max']).toBeLessThan(1e-4);
      expect(metrics['objective/kl']).not.toBe(0);
    }
  });
});

/** Log-probabilities of a token's alternatives: softmax over the allowed logits, one by one. */
function renormalised(
  model: LanguageModel,
  constraints: AnswerConstraints,
  { packed, scored }: ReturnType<typeof packRollouts>,
  temperature: number,
): Tensor {
  const logits = model.decoder
    .logits(model.hidden(packed))
    .indexSelect(0, fromTypedArray(scored.rows).to({ dtype: 'int64' }))
    .div(temperature); // [N, V]
  const size = logits.dim(1);
  const out = new Uint8Array(scored.targets.length * size);
  for (const [row] of scored.targets.entries()) {
    for (let token = 0; token < size; token++) {
      const word = scored.allowed![row * constraints.words + (token >> 5)]!;
      out[row * size + token] = (word >>> (token & 31)) & 1 ? 0 : 1;
    }
  }
  const mask = fromTypedArray(out, [scored.targets.length, size]).gt(0);
  const logs = logits.maskedFill(mask, Number.NEGATIVE_INFINITY).logSoftmax(-1);
  const targets = fromTypedArray(scored.targets).to({ dtype: 'int64' });
  return logs.gather(1, targets.unsqueeze(1)).squeeze(1);
}

it.each([
  1, 0.7,
])('the policy gradient is that of a renormalised softmax: temperature %f', async (temperature) => {
  const method = methodOf.ppo({ numIterations: 1, minibatches: 1, temperature });
  using online = await tinyOnline(folder, { method, constraint, epochs: 2, moved: true });
  await online.task.step();
  const found = gradientsOf(online.parameters);
  const { model, parameters, constraints } = online;
  const { rollouts, training } = batchOf(online);
  if (training.kind !== 'advantages') throw new Error('PPO trains on advantages');
  for (const parameter of parameters.values()) parameter.grad = null;
  tidy(() => {
    const pass = packRollouts(rollouts, rollouts.everySequence);
    const logprobs = model.as('policy', () => renormalised(model, constraints!, pass, temperature));
    const old = rollouts.logprobs.old!;
    logprobs.toArray().forEach((one, at) => void expect(one).toBeCloseTo(old[at]!, 10));
    logprobs.mul(fromTypedArray(training.advantages)).mean().neg().backward();
  });
  const names = [...found.keys()].filter((name) => !name.startsWith('value/'));
  const expected = gradientsOf(parameters);
  const flat = (from: typeof found): number[] => names.flatMap((name) => from.get(name)!);
  const largest = Math.max(...flat(expected).map(Math.abs));
  expect(largest).toBeGreaterThan(1e-6);
  flat(found).forEach((one, at) => {
    expect(one / largest).toBeCloseTo(flat(expected)[at]! / largest, 6);
  });
});

it('the probabilities of all answers that match add up to 1', async () => {
  const method = methodOf.grpo({ numGenerations: 2 });
  const choices = { kind: 'choice', choices: ['12', 'hello', 'x'] } as const;
  using online = await tinyOnline(folder, { method, constraint: choices, moved: true });
  const { model, constraints } = online;
  const prompt = [5, 6, 7];
  // Every sequence of tokens that spells an answer, with its end.
  const spelled: number[][] = [];
  const extend = (tokens: number[]): void => {
    const state = constraints!.of(prompt).start();
    for (const token of tokens) state.accept(token);
    const allowed = new Int32Array(constraints!.words);
    state.allowed(allowed);
    for (let token = 0; token < 32 * allowed.length; token++) {
      if (((allowed[token >> 5]! >>> (token & 31)) & 1) === 0) continue;
      if (token === 0) spelled.push([...tokens, 0]);
      else extend([...tokens, token]);
    }
  };
  extend([]);
  // 12 as one token or two; hello as 5 letters or in its merges; x.
  expect(spelled.length).toBeGreaterThan(5);
  const answers = {
    ...{ prompts: [prompt], completions: spelled, groups: spelled.map(() => 0), constraints },
  };
  const rollouts = new Rollouts([0], answers, new Float64Array(spelled.flat().length));
  for (const role of ['policy', 'reference']) {
    for (const temperature of [1, 0.5]) {
      const limit = { rows: null, tokens: null };
      const logprobs = await rolloutLogprobs(model, role, rollouts, { limit, temperature });
      const sums = rollouts.layout.sums(logprobs);
      const total = [...sums].reduce((sum, one) => sum + Math.exp(one), 0);
      expect(total).toBeCloseTo(1, 10);
    }
  }
});

it('the sampler draws answers as often as training thinks', async () => {
  const method = methodOf.grpo({ numGenerations: 2 });
  const choices = { kind: 'choice', choices: ['1', 'x'] } as const;
  using online = await tinyOnline(folder, { method, constraint: choices, type: 'float32' });
  const { model, constraints, source } = online;
  const [prompt] = await source.next(1);
  const count = 2000;
  const sampling = {
    samplesPerPrompt: count,
    maxNewTokens: 4,
    temperature: 1,
    topK: null,
    topP: 1,
  };
  const sampled = await sampleRollouts(
    model,
    'policy',
    [prompt!],
    { ...sampling, batchSize: 100, constraints },
    1,
  );
  const answers = Map.groupBy(sampled.samples, ({ text }) => text);
  expect([...answers.keys()].toSorted()).toEqual(['1', 'x']);
  const rollouts = Rollouts.of(sampled, constraints);
  const logprobs = await rolloutLogprobs(model, 'policy', rollouts, {
    ...{ limit: { rows: null, tokens: null }, temperature: 1 },
  });
  const p = Math.exp(rollouts.layout.sums(logprobs)[0]!);
  const share = answers.get(sampled.samples[0]!.text)!.length / count;
  // Five standard errors; the draws are those of a seed.
  expect(Math.abs(share - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / count));
  expect(p).toBeGreaterThan(0.01);
  expect(p).toBeLessThan(0.99);
});

it('answers that are cut off keep their masks', async () => {
  const method = methodOf.grpo({ numGenerations: 4, maxNewTokens: 2, beta: 0.1 });
  const long = { kind: 'regex', pattern: '[0-9]{6,9}' } as const;
  using online = await tinyOnline(folder, { method, constraint: long, epochs: 2, moved: true });
  const metrics = await online.task.step();
  for (const { text, ended } of answersOf(online)) {
    expect(ended).toBe(false);
    expect(text).toMatch(/^[0-9]+$/);
  }
  expect(metrics['val/ratio']).toBe(1);
});

it('an answer that leaves no choice trains nothing', async () => {
  // The letters of é have two tokenisations; a control character has one.
  const only = { kind: 'choice', choices: ['\u0001'] } as const;
  const method = methodOf.grpo({ numGenerations: 2, numIterations: 2, scaleRewards: 'none' });
  let calls = 0;
  const reward = () => calls++ % 2;
  using online = await tinyOnline(folder, { method, constraint: only, reward });
  const metrics = await online.task.step();
  const { logprobs } = batchOf(online).rollouts;
  expect([...logprobs.old!]).toEqual([...logprobs.old!].map(() => 0));
  expect(metrics.entropy).toBeCloseTo(0, 12);
  for (const found of gradientsOf(online.parameters).values()) {
    expect((found ?? []).every((one) => one === 0)).toBe(true);
  }
});

it('the next batch is the same after a resume, with the masks of the batch in progress', async () => {
  const method = methodOf.grpo({ numGenerations: 3, beta: 0.1 });
  const setting = { method, constraint, epochs: 2, moved: true } as const;
  using one = await tinyOnline(folder, setting);
  await one.task.step();
  const state = one.task.state();
  const clearGradients = ({ parameters }: TinyOnline): void => {
    for (const parameter of parameters.values()) parameter.grad = null;
  };
  clearGradients(one);
  const expected = await one.task.step();
  using other = await tinyOnline(folder, setting);
  other.task.check(state);
  other.task.restore(state);
  expect(await other.task.step()).toEqual(expected);
  expect(gradientsOf(other.parameters)).toEqual(gradientsOf(one.parameters));
});
