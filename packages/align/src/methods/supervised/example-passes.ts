// Supervised rows through a model, pass by pass: the loss is a mean over scored tokens of all
// passes.
import type { LanguageModel, Role } from '@keel/model';
import { fromTypedArray, phase, type Recomputation, type Steps, type Tensor } from '@keel/torch';
import { type MicroBatchLimit, splitMicroBatches } from '../../batching/micro-batches.ts';
import { type PackedExamples, packExamples } from '../../batching/pack-examples.ts';
import { scoredCount } from '../../batching/tokenise-example.ts';
import { tokenNll } from '../../objectives/token-nll.ts';
import { runPass } from '../../training/run-pass.ts';
import { NonFiniteLossError } from '../../training/training-task.ts';
import type { PlacedExample } from './example-source.ts';
import { SupervisedTotals } from './supervised-totals.ts';

export interface ExamplePassesParts {
  model: LanguageModel;
  role: Role;
  limit: MicroBatchLimit;
  /**
   * Whether a pass of so many tokens computes its activations again in backward; never, unless
   * told.
   */
  recomputes?(tokens: number): boolean;
  /** Strength of NEFTune's noise on embeddings while training; null: none. */
  neftuneAlpha: number | null;
}

/**
 * Adds the gradient of `weight` times the rows' mean loss.
 * @param count told of every pass, forward and backward
 * @throws NonFiniteLossError naming the rows of the pass
 */
export function learnExamples(
  parts: ExamplePassesParts,
  placed: readonly PlacedExample[],
  { weight = 1, count }: { weight?: number; count?(batch: PackedExamples): void } = {},
): Promise<SupervisedTotals> {
  // Of the whole step: a mean of the passes' means would weigh tokens of short passes more.
  const scored = placed.reduce((sum, { example }) => sum + scoredCount(example), 0);
  const totals = new SupervisedTotals();
  return passes(parts, placed, totals, { divisor: scored / weight, count });
}

/**
 * Adds to `totals` what the model makes of the rows, without gradient. @throws NonFiniteLossError
 * as above
 */
export const scoreExamples = (
  parts: ExamplePassesParts,
  placed: readonly PlacedExample[],
  totals: SupervisedTotals,
): Promise<SupervisedTotals> => passes(parts, placed, totals, { divisor: null });

async function passes(
  parts: ExamplePassesParts,
  placed: readonly PlacedExample[],
  totals: SupervisedTotals,
  {
    divisor,
    count,
  }: { divisor: number | null; count?: ((batch: PackedExamples) => void) | undefined },
): Promise<SupervisedTotals> {
  const lengths = placed.map(({ example }) => example.tokens.length);
  for (const pass of splitMicroBatches(lengths, parts.limit)) {
    const members = pass.map((index) => placed[index]!);
    const batch = phase('data', () => packExamples(members.map(({ example }) => example)));
    count?.(batch);
    const rows = members.map(({ row }) => row);
    const training = divisor !== null;
    await runPass(
      (recomputation) => forward(parts, batch, rows, totals, { training, recomputation }),
      { divisor, recomputes: parts.recomputes?.(batch.packed.tokens.length) ?? false },
    );
  }
  return totals;
}

/** @returns the sum of the scored tokens' losses */
function* forward(
  { model, role, neftuneAlpha }: ExamplePassesParts,
  { packed, scored }: PackedExamples,
  rows: readonly number[],
  totals: SupervisedTotals,
  { training, recomputation }: { training: boolean; recomputation: Recomputation | null },
): Steps<Tensor> {
  const options = {
    ...{ training, recomputation },
    embeddingNoise: training ? neftuneAlpha : null,
  };
  const { logprobs, entropy, argmax } = yield* model.asSteps(
    role,
    model.scoreTokensSteps(packed, scored, options),
  ); // [N] each
  const total = tokenNll(logprobs).sum();
  const loss = total.item();
  if (!Number.isFinite(loss))
    throw new NonFiniteLossError(`the loss is ${loss}`, rows, { heldOut: !training });
  const targets = fromTypedArray(scored.targets).to({ dtype: 'int64', device: model.device });
  const sums = {
    loss,
    entropy: entropy.detach().sum().item(),
    hits: argmax.eq(targets).sum().item(),
  };
  totals.add(sums, scored.targets.length, packed.tokens.length);
  return total;
}
