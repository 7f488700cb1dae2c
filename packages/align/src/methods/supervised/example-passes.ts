// Supervised rows in passes. The loss is the mean over the scored tokens of all passes of a step: a
// mean of the passes' means would give the tokens of short passes more weight.
import type { LanguageModel } from '@keel/model';
import { fromTypedArray, later, type Steps, type Tensor, type Unread } from '@keel/torch';
import { type PackedExamples, packExamples } from '../../batching/pack-examples.ts';
import { scoredCount } from '../../batching/tokenise-example.ts';
import { tokenNll } from '../../objectives/token-nll.ts';
import {
  type ForwardOptions,
  type Packing,
  type Pass,
  type PassesParts,
  passes,
  type Resolved,
} from '../../training/passes.ts';
import type { PlacedExample } from './example-source.ts';
import { SupervisedTotals, type TokenSums } from './supervised-totals.ts';

export interface ExamplePassesParts extends PassesParts {
  /** Strength of NEFTune's noise on embeddings while training; null: none. */
  neftuneAlpha: number | null;
}

/** What a pass finds. */
export interface FoundExamples {
  loss: Unread<number>;
  numbers: Unread<Omit<TokenSums, 'loss'>>;
}

export type ExamplePass = Pass<PlacedExample, PackedExamples>;

export const examplePacking: Packing<PlacedExample, PackedExamples> = {
  tokens: ({ example }) => example.tokens.length,
  pack: (placed) => packExamples(placed.map(({ example }) => example)),
  scored: ({ scored }) => scored.rows.length,
};

/** Scored tokens of rows. */
export const scoredTokensOf = (placed: readonly PlacedExample[]): number =>
  placed.reduce((sum, { example }) => sum + scoredCount(example), 0);

/**
 * Adds the gradient of `weight` times the rows' mean loss, the last one of the step.
 * @param count called with every pass
 * @throws NonFiniteLossError naming the rows of the pass
 */
export async function learnExamples(
  parts: ExamplePassesParts,
  placed: readonly PlacedExample[],
  { weight, count }: { weight: number; count(batch: PackedExamples): void },
): Promise<SupervisedTotals> {
  const totals = new SupervisedTotals();
  const divisor = scoredTokensOf(placed) / weight;
  const work = (pass: ExamplePass) => runExamples(parts, pass);
  const options = { divisor, count, endsStep: true };
  for await (const done of passes(parts, placed, examplePacking, options, work)) {
    addExamples(totals, done);
  }
  return totals;
}

/** Runs a pass, and adds its gradient where it asks for one. */
export const runExamples = (
  { model, neftuneAlpha }: ExamplePassesParts,
  pass: ExamplePass,
): Promise<FoundExamples> =>
  pass.run((options) =>
    exampleLosses(model, pass.batch, {
      ...options,
      embeddingNoise: options.training ? neftuneAlpha : null,
    }),
  );

/** Adds what {@link runExamples} found. */
export function addExamples(
  totals: SupervisedTotals,
  { pass, found: { loss, numbers } }: { pass: ExamplePass; found: Resolved<FoundExamples> },
): void {
  const { packed, scored } = pass.batch;
  totals.add({ loss, ...numbers }, scored.targets.length, packed.tokens.length);
}

/** The losses of the scored tokens. */
function* exampleLosses(
  model: LanguageModel,
  { packed, scored }: PackedExamples,
  options: ForwardOptions & { embeddingNoise: number | null },
): Steps<Omit<FoundExamples, 'loss'> & { sum: Tensor }> {
  // [N] each
  const { logprobs, entropy, argmax } = yield* model.scoreTokensSteps(packed, scored, options);
  const targets = fromTypedArray(scored.targets).to({ dtype: 'int64', device: model.device });
  const sum = tokenNll(logprobs).sum();
  const numbers = later(
    { entropies: entropy.detach().sum(), hits: argmax.eq(targets).sum() },
    (read) => ({ entropy: read.entropies[0]!, hits: read.hits[0]! }),
  );
  return { sum, numbers };
}
