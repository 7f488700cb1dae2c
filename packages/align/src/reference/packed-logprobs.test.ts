// However pairs are packed, every answer has the same log-probability as without packing.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchBuilder, type LanguageModel } from '@keel/model';
import { fromTypedArray, noGrad, setThreads, tensor, tidy } from '@keel/torch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { splitMicroBatches } from '../batching/micro-batches.ts';
import { packPairs, pairTokens } from '../batching/pack-pairs.ts';
import {
  type TokenisedAnswer,
  type TokenisedPair,
  tokenisePair,
} from '../batching/tokenise-pair.ts';
import { shuffledOrder } from '../data/shuffle.ts';
import { scorePairs } from '../methods/pairs/score-pairs.ts';
import {
  draws,
  loadTiny,
  tinyChatTokenizer,
  tinyRows,
  writeTinyChatModel,
} from '../testing/tiny-chat-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-packed-'));
// Tiny tensors: a second thread would only wait.
setThreads(1);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tokenizer = tinyChatTokenizer();
const pairs = tinyRows(11).map((row) => tokenisePair(row, tokenizer, { maxLength: null })!);
// Includes turns that are not scored, and a pair without a prompt.
const [odd, bare] = [pairs[3]!, pairs[5]!];
odd.chosen.scored = odd.chosen.scored.map((_, i) => i % 3 !== 1);
bare.prompt = [];

const sumsOf = (model: LanguageModel, together: readonly TokenisedPair[]): number[] =>
  tidy(() => noGrad(() => scorePairs(model, packPairs(together), false).sums.toArray()));

/** Without packing: one sequence, all logits, log-softmax, gather. */
function unpacked(
  model: LanguageModel,
  prompt: number[],
  { tokens, scored }: TokenisedAnswer,
): number {
  return tidy(() =>
    noGrad(() => {
      const builder = new BatchBuilder();
      builder.add([...prompt, ...tokens]);
      const logits = model.decoder.logits(model.hidden(builder.build())); // [T, vocabulary]
      const targets = Int32Array.from([...prompt, ...tokens].slice(1));
      const logprobs = logits
        .narrow(0, 0, targets.length)
        .logSoftmax(1)
        .gather(1, fromTypedArray(targets).to('int64').unsqueeze(1))
        .squeeze(1);
      const counted = [...prompt.map(() => false), ...scored].slice(1).map(Number);
      return logprobs
        .mul(tensor(counted, { dtype: logprobs.dtype }))
        .sum()
        .item();
    }),
  );
}

describe.each([
  ['float64', 1e-12],
  ['float32', 2e-5],
] as const)('log-probabilities in %s', (type, tolerance) => {
  let model: LanguageModel;
  let alone: number[][];
  beforeAll(async () => {
    model = await loadTiny(writeTinyChatModel(join(folder, type)), type);
    alone = pairs.map((pair) => sumsOf(model, [pair]));
  });
  afterAll(() => model.dispose());

  const near = (found: number, expected: number): void =>
    expect(Math.abs(found - expected)).toBeLessThan(tolerance * Math.max(1, Math.abs(expected)));

  it('are those of the plain sequence of prompt and answer', () => {
    for (const [i, { prompt, chosen, rejected }] of pairs.entries()) {
      near(alone[i]![0]!, unpacked(model, prompt, chosen));
      near(alone[i]![1]!, unpacked(model, prompt, rejected));
    }
  });

  it('do not depend on the other pairs, their order, or the size of the pass', () => {
    const draw = draws(3);
    for (let trial = 0; trial < 25; trial++) {
      const order = [...shuffledOrder(pairs.length, trial, 0)].slice(0, 1 + draw(pairs.length));
      const limit =
        trial % 2 === 0
          ? { rows: 1 + draw(5), tokens: null }
          : { rows: null, tokens: 40 + draw(200) };
      const lengths = order.map((index) => pairTokens(pairs[index]!));
      for (const pass of splitMicroBatches(lengths, limit)) {
        const rows = pass.map((place) => order[place]!);
        const found = sumsOf(
          model,
          rows.map((row) => pairs[row]!),
        );
        rows.forEach((row, i) => {
          near(found[2 * i]!, alone[row]![0]!);
          near(found[2 * i + 1]!, alone[row]![1]!);
        });
      }
    }
  });

  it('are the same whether a prompt is shared or not', () => {
    const shared = packPairs([pairs[0]!, pairs[0]!]);
    expect(shared.packed.segments.filter(({ prefix }) => prefix === -1)).toHaveLength(1);
    for (const [i, { prompt, chosen, rejected }] of pairs.entries()) {
      if (prompt.length === 0) continue;
      // Both answers, each with its own copy of the prompt.
      const builder = new BatchBuilder();
      const answers = [chosen, rejected].map((answer) => {
        const at = builder.size + prompt.length;
        builder.add(answer.tokens, builder.add(prompt));
        return answer.tokens.flatMap((target, k) =>
          answer.scored[k] ? [{ row: at + k - 1, target }] : [],
        );
      });
      const scored = answers.flat();
      const logprobs = tidy(() =>
        noGrad(() =>
          model
            .scoreTokens(builder.build(), {
              rows: Int32Array.from(scored, ({ row }) => row),
              targets: Int32Array.from(scored, ({ target }) => target),
            })
            .logprobs.toArray(),
        ),
      );
      const sum = (values: readonly number[]): number =>
        values.reduce((total, one) => total + one, 0);
      near(sum(logprobs.slice(0, answers[0]!.length)), alone[i]![0]!);
      near(sum(logprobs.slice(answers[0]!.length)), alone[i]![1]!);
    }
  });
});
