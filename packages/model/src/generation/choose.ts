// From logits to the next token of each sample in the batch. Samples of different requests have
// different options, so rows with the same distribution options are drawn together.
import { fromTypedArray, ops, type Tensor } from '@keel/torch';
import { allFinite, refuseNonFiniteWeights } from '../loading/non-finite.ts';
import { maskLogits } from './constrain.ts';
import { drawByUniform, drawGreedily } from './draw.ts';
import { tokenLogprobs } from './model-logprobs.ts';
import type { GenerationModel } from './options.ts';
import { uniformFor } from './philox.ts';
import {
  addBiases,
  biasesFor,
  penaliseRepetition,
  ruleOut,
  shapeDistribution,
} from './sampling.ts';
import type { Choice, Sequence } from './sequence.ts';

/**
 * Draws the next token of each sample.
 * @param logits [B, vocabulary]
 * @throws CheckpointError if the weights are not finite; RangeError if a logits processor returns
 *   another shape
 */
export function choose(
  { decoder }: GenerationModel,
  sequences: readonly Sequence[],
  logits: Tensor,
): Choice[] {
  const processed = sequences.some(({ options }) => options.logitsProcessor !== null);
  const own = wantedLogprobs(sequences, logits);
  try {
    const choices = draw(sequences, scoresOf(sequences, logits));
    return own === null ? choices : own(choices);
  } catch (error) {
    // If the logits are unusable without a logits processor, the weights are at fault.
    if (!processed && !allFinite(logits)) {
      for (const adapter of new Set(sequences.map(({ options }) => options.adapter))) {
        refuseNonFiniteWeights(decoder, 'the model', adapter);
      }
    }
    throw error;
  } finally {
    decoder.checkFiles();
  }
}

/** Rows that want the model's own log-probabilities are copied before anything changes them. */
function wantedLogprobs(
  sequences: readonly Sequence[],
  logits: Tensor,
): ((choices: Choice[]) => Choice[]) | null {
  const rows = sequences.flatMap(({ options }, row) => (options.topLogprobs === null ? [] : [row]));
  if (rows.length === 0) return null;
  const copied = rowsOf(logits, rows); // [N, vocabulary]
  return (choices) => {
    const found = tokenLogprobs(
      copied,
      rows.map((row) => choices[row]!.token),
      rows.map((row) => sequences[row]!.options.topLogprobs!),
    );
    const all = [...choices];
    rows.forEach((row, at) => {
      all[row] = { ...choices[row]!, modelLogprobs: found[at]! };
    });
    return all;
  };
}

/** Logits after penalties, biases, masks and logits processors: [B, vocabulary] float32. */
function scoresOf(sequences: readonly Sequence[], logits: Tensor): Tensor {
  let scores = logits.to('float32');
  const penalties = new Set(sequences.map(({ options }) => options.sampling.repetitionPenalty));
  for (const penalty of penalties) {
    if (penalty === 1) continue;
    const seen = sequences.map(({ seen, options }) =>
      options.sampling.repetitionPenalty === penalty ? seen : [],
    );
    scores = penaliseRepetition(scores, seen, penalty);
  }
  scores = addBiases(
    scores,
    sequences.map(({ tokens, options }) => biasesFor(tokens, options.bias)),
  );
  for (const [row, { tokens, options, constraint }] of sequences.entries()) {
    if (tokens.length >= options.minNewTokens || constraint?.finished) continue;
    ruleOut(scores, [row], options.stopTokenIds);
  }
  return maskLogits(processedScores(sequences, scores), sequences);
}

/** What logits processors make of logits: [B, vocabulary] float32 -> the same. */
function processedScores(sequences: readonly Sequence[], scores: Tensor): Tensor {
  if (sequences.every(({ options }) => options.logitsProcessor === null)) return scores;
  const processed = sequences.map((sequence, row) => {
    const { logitsProcessor } = sequence.options;
    const given = scores.select(0, row);
    const one = logitsProcessor?.(sequence.tokens, given, sequence) ?? given;
    if (one.shape.length === 1 && one.dim(0) === scores.dim(1)) return one.to('float32');
    throw new RangeError(
      `the logits processor returned a tensor of shape [${one.shape}], expected [${scores.dim(1)}]`,
    );
  });
  return ops.stack(processed);
}

function draw(sequences: readonly Sequence[], scores: Tensor): Choice[] {
  const groups = Map.groupBy(sequences.keys(), (row) => {
    const { temperature, topK, topP, minP } = sequences[row]!.options.sampling;
    return temperature === 0 ? 'greedy' : [temperature, topK, topP, minP].join();
  });
  const choices = new Array<Choice>(sequences.length);
  for (const rows of groups.values()) {
    const own = groups.size === 1 ? scores : rowsOf(scores, rows); // [N, vocabulary]
    const drawn = drawAlike(
      rows.map((row) => sequences[row]!),
      own,
    );
    rows.forEach((row, at) => {
      choices[row] = drawn[at]!;
    });
  }
  return choices;
}

/** Draws for samples with the same sampling options. */
function drawAlike(sequences: readonly Sequence[], scores: Tensor): Choice[] {
  const { sampling } = sequences[0]!.options;
  if (sampling.temperature === 0) return drawGreedily(scores);
  const uniforms = sequences.map(({ source: { draws }, sampleIndex, tokens }) =>
    uniformFor(draws.seed, draws.promptIndex, sampleIndex, tokens.length),
  );
  const whole = sampling.topK === 0 && sampling.topP === 1 && sampling.minP === 0;
  return whole
    ? drawByUniform(scores, uniforms, sampling.temperature)
    : drawByUniform(shapeDistribution(scores, sampling), uniforms);
}

function rowsOf(logits: Tensor, rows: readonly number[]): Tensor {
  const { device } = logits;
  const index = fromTypedArray(BigInt64Array.from(rows, BigInt), [rows.length], { device });
  return logits.indexSelect(0, index);
}
