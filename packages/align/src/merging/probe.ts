// Computes a model's outputs on a fixed text, to compare it before and after it is written.
import { BatchBuilder, type LanguageModel, type Role } from '@keel/model';
import { noGrad, tidy } from '@keel/torch';

const TEXT =
  'What is the capital of France? Paris is the capital of France, on the river Seine. ' +
  'In 1889 the Eiffel Tower was built there: 330 metres of iron, and 7 million visitors a year.';

export interface Probe {
  tokens: number[];
  /** Rows of the values: [rows, values.length / rows]. */
  rows: number;
  /** Log-probabilities of every next token, or the score of each head. */
  values: Float32Array;
  scores: boolean;
}

/** What verifying found. */
export interface ProbeDifference {
  /** Mean KL divergence of the next token's distribution, in nats; null for a reward model. */
  kl: number | null;
  /**
   * Number of tokens after which both have the same most likely next token; null for a reward
   * model.
   */
  sameTop: { count: number; of: number } | null;
  /** The largest difference of a head's score; null for a language model. */
  score: number | null;
}

/** @param role the role to compute in; with a scalar head its scores are computed */
export function probeOf(model: LanguageModel, role: Role, tokens = probeTokens(model)): Probe {
  const builder = new BatchBuilder();
  builder.add(tokens);
  const batch = builder.build();
  const scores = model.hasScoreHead(role);
  return tidy(() =>
    noGrad(() =>
      model.as(role, () => {
        const hidden = model.hidden(batch); // [T, hidden]
        const found = scores
          ? hidden.to({ dtype: 'float32' }).matmul(model.scoreHead(role).t()) // [T, K]
          : model.decoder.logits(hidden).to({ dtype: 'float32' }).logSoftmax(-1); // [T, vocabulary]
        const values = found.contiguous().to({ device: 'cpu' }).toTypedArray() as Float32Array;
        return { tokens, rows: tokens.length, values: Float32Array.from(values), scores };
      }),
    ),
  );
}

function probeTokens({ tokenizer, decoder }: LanguageModel): number[] {
  const { vocabularySize, maxPositions } = decoder.config;
  const ids = tokenizer.encode(TEXT, { addSpecialTokens: true });
  const known = ids.filter((id) => id < vocabularySize).slice(0, Math.min(64, maxPositions));
  return known.length > 0 ? known : [0];
}

/** @throws RangeError for probes of different shapes */
export function compareProbes(expected: Probe, found: Probe): ProbeDifference {
  const width = expected.values.length / expected.rows;
  if (found.values.length !== expected.values.length) {
    throw new RangeError(
      `the model has ${found.values.length / found.rows} outputs per token, expected ${width}`,
    );
  }
  if (expected.scores) {
    let score = 0;
    expected.values.forEach((value, index) => {
      score = Math.max(score, Math.abs(value - found.values[index]!));
    });
    return { kl: null, sameTop: null, score };
  }
  let [sum, same] = [0, 0];
  for (let row = 0; row < expected.rows; row++) {
    const one = expected.values.subarray(row * width, (row + 1) * width);
    const other = found.values.subarray(row * width, (row + 1) * width);
    one.forEach((logp, token) => {
      sum += Math.exp(logp) * (logp - other[token]!);
    });
    if (largest(one) === largest(other)) same += 1;
  }
  // Rounding can make a sum of zeros slightly negative.
  const kl = Math.max(0, sum / expected.rows);
  return { kl, sameTop: { count: same, of: expected.rows }, score: null };
}

function largest(values: Float32Array): number {
  let best = 0;
  values.forEach((value, index) => {
    if (value > values[best]!) best = index;
  });
  return best;
}
