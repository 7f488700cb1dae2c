import { fromTypedArray, ops, setThreads, threads } from '@keel/torch';
import { afterAll, expect, test } from 'vitest';
import type { ConstraintState, TokenConstraint } from '../constraints/constraint.ts';
import { compileTiny, tinyTokenizer } from '../constraints/testing/reads.ts';
import { byteTokenizer, constantDecoder, tinyDecoder } from '../testing/tiny-decoder.ts';
import { maskLogitsComposed } from './constrain.ts';
import { generateAll } from './generate.ts';
import type { GenerateOptions } from './options.ts';

const threadsBefore = threads();
setThreads(1);
afterAll(() => setThreads(threadsBefore));

test('masking in place is masking by parts', () => {
  const [rows, size] = [3, 77];
  const masks = Int32Array.from({ length: rows * 3 }, (_, at) => [-1, 0, 0x5a5a1234, -7][at % 4]!);
  const logits = () => ops.arange(rows * size, 'float32', 'cpu').view(rows, size);
  const composed = maskLogitsComposed(logits(), masks);
  const masked = ops.maskLogits_(logits(), fromTypedArray(masks, [rows, 3]));
  expect(masked.toArray()).toEqual(composed.toArray());
  for (let token = 0; token < size; token++) {
    const bit = (masks[token >> 5]! >> (token & 31)) & 1;
    expect(masked.select(0, 0).toArray()[token]).toBe(bit ? token : Number.NEGATIVE_INFINITY);
  }
});

test('masks of another size are refused', () => {
  const logits = ops.zeros([2, 40], 'float32', 'cpu');
  const masks = (words: number) => fromTypedArray(new Int32Array(2 * words), [2, words]);
  expect(() => ops.maskLogits_(logits, masks(1))).toThrow(/masks \[2, 2\] in int32/);
  expect(() => ops.maskLogits_(logits.to('float64'), masks(2))).toThrow(/in float32/);
});

const shares = [0.5, 0.25, 0.15, 0.1];
const constant = { decoder: constantDecoder(shares.map(Math.log)), tokenizer: byteTokenizer };

/** Tokens that may be drawn at each step; 0 ends an answer. */
function stepwise(
  steps: readonly (readonly number[])[],
): TokenConstraint & { open: Set<ConstraintState> } {
  const open = new Set<ConstraintState>();
  const start = (): ConstraintState => {
    let step = 0;
    const state: ConstraintState = {
      allowed(into) {
        into.fill(0);
        for (const token of steps[step] ?? [0]) into[0]! |= 1 << token;
      },
      accept(token) {
        expect(steps[step] ?? [0]).toContain(token);
        step += 1;
      },
      get finished() {
        return step >= steps.length;
      },
      dispose: () => void open.delete(state),
    };
    open.add(state);
    return state;
  };
  return { words: 1, start, open };
}
const run = (options: GenerateOptions, prompts = [[1]]) =>
  generateAll(constant, prompts, {
    ...{ maxNewTokens: 6, samplesPerPrompt: 40, batchSize: 7, stopTokenIds: [0], logprobs: true },
    ...options,
  });

test('tokens are drawn from the model renormalised over the allowed ones', async () => {
  const constraint = stepwise([[1, 2], [3], [2, 3]]);
  const counts = new Map<number, number>();
  for (const { tokens, logprobs, finishReason } of await run({
    constraint,
    samplesPerPrompt: 400,
  })) {
    expect(finishReason).toBe('stop');
    expect(tokens[1]).toBe(3);
    expect(tokens).toHaveLength(4);
    counts.set(tokens[0]!, (counts.get(tokens[0]!) ?? 0) + 1);
    expect(logprobs![0]).toBeCloseTo(Math.log(shares[tokens[0]!]! / 0.4), 5);
    expect(logprobs![1]).toBeCloseTo(0, 6);
    expect(logprobs![2]).toBeCloseTo(Math.log(shares[tokens[2]!]! / 0.25), 5);
    expect(logprobs![3]).toBeCloseTo(0, 6);
  }
  expect(Math.abs(counts.get(1)! / 400 - 0.625)).toBeLessThan(0.08);
  expect(constraint.open.size).toBe(0);
});

test('the mask comes before temperature and filters', async () => {
  const constraint = stepwise([[2, 3]]);
  for (const own of [{ temperature: 0 }, { topK: 1 }, { topP: 0.3 }, { minP: 0.9 }]) {
    for (const { tokens } of await run({ constraint, ...own })) expect(tokens).toEqual([2, 0]);
  }
});

test('each prompt has its own constraint, or none', async () => {
  const promptConstraints = [stepwise([[3]]), null, stepwise([[2], [1]])];
  const results = await run({ promptConstraints }, [[1], [1], [1]]);
  const tokensOf = (prompt: number) =>
    results.filter(({ promptIndex }) => promptIndex === prompt).map(({ tokens }) => tokens.join());
  expect(new Set(tokensOf(0))).toEqual(new Set(['3,0']));
  expect(new Set(tokensOf(1)).size).toBeGreaterThan(5);
  expect(new Set(tokensOf(2))).toEqual(new Set(['2,1,0']));
  const free = await run({}, [[1], [1], [1]]);
  expect(tokensOf(1)).toEqual(
    free.filter(({ promptIndex }) => promptIndex === 1).map(({ tokens }) => tokens.join()),
  );
  await expect(run({ promptConstraints }, [[1]])).rejects.toThrow(
    /promptConstraints has 3 entries/,
  );
});

test('an answer at its limit is cut off, and minNewTokens gives way to the end', async () => {
  const constraint = stepwise([[1], [2], [3]]);
  for (const { tokens, finishReason } of await run({ constraint, maxNewTokens: 2 })) {
    expect([tokens, finishReason]).toEqual([[1, 2], 'length']);
  }
  for (const { tokens } of await run({ constraint, minNewTokens: 6 })) {
    expect(tokens).toEqual([1, 2, 3, 0]);
  }
  expect(constraint.open.size).toBe(0);
});

test('a logits processor cannot allow what the constraint excludes', async () => {
  const constraint = stepwise([[2, 3]]);
  const logitsProcessor = () => ops.zeros([4], 'float32', 'cpu');
  for (const { tokens, logprobs } of await run({ constraint, logitsProcessor })) {
    expect([2, 3]).toContain(tokens[0]);
    expect(logprobs![0]).toBeCloseTo(Math.log(0.5), 5);
  }
  const nothing = () => ops.fullLike(ops.zeros([4], 'float32', 'cpu'), Number.NEGATIVE_INFINITY);
  await expect(run({ constraint, logitsProcessor: nothing })).rejects.toThrow(
    /ruled out every token/,
  );
});

test('answers of a model match, in any batch, and are completed in time if asked for', async () => {
  const vocabularySize = tinyTokenizer.vocabSize;
  const decoder = tinyDecoder({ vocabularySize, dtype: 'float32' });
  const model = { decoder, tokenizer: tinyTokenizer };
  const schema = {
    type: 'object',
    properties: { name: { type: 'string' }, ok: { type: 'boolean' } },
    required: ['name', 'ok'],
  };
  const constraint = await compileTiny({ kind: 'json-schema', schema });
  const options = { constraint, completeConstraint: true, maxNewTokens: 50, samplesPerPrompt: 12 };
  const answers = await generateAll(model, [[5]], { ...options, batchSize: 12 });
  for (const { text, finishReason } of answers) {
    expect(finishReason).toBe('stop');
    expect(JSON.parse(text)).toEqual({ name: expect.any(String), ok: expect.any(Boolean) });
  }
  const cut = await generateAll(model, [[5]], { ...options, completeConstraint: false });
  expect(cut.map(({ finishReason }) => finishReason)).toContain('length');
});
