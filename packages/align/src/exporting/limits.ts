// What rounding weights to a type explains. More is a fault of the written file.
import type { GgufFileType } from '@keel/model';
import type { ExportChecks } from './evidence.ts';

/**
 * Largest mean KL divergence, in nats per token. A damaged file or a missing adapter gives more;
 * for the types of four and five bits, orders of magnitude only on large models.
 */
const LARGEST_KL: Record<GgufFileType, number> = {
  ...{ f32: 1e-5, f16: 1e-3, bf16: 2e-2, q8_0: 2e-2, q6_k: 0.1 },
  ...{ q5_k_m: 0.3, q5_k_s: 0.3, q5_1: 0.3, q5_0: 0.3 },
  ...{ q4_k_m: 0.8, q4_k_s: 0.8, q4_1: 0.8, q4_0: 0.8 },
};

/**
 * Largest lead of the most likely token, in logits, that rounding may turn around, for the types
 * whose greedy text must be the same.
 */
const LARGEST_TIE: Partial<Record<GgufFileType, number>> = { f32: 1e-3, f16: 0.05 };

/** Largest difference of a reward model's scores, as a share of their size. */
const LARGEST_SCORE: Partial<Record<GgufFileType, number>> = { f32: 1e-3, f16: 1e-2, bf16: 5e-2 };

/**
 * @param size the largest score
 * @throws Error saying which check failed
 */
export function demand(checks: ExportChecks, type: GgufFileType, size: number): void {
  const { texts, kl, score, greedy } = checks;
  const fail = (what: string, advice = ''): never => {
    throw new Error(
      `the written file does not compute what the model computes: ${what}. Nothing was kept.${advice}`,
    );
  };
  if (texts.same < texts.of) {
    fail(`${texts.of - texts.same} of ${texts.of} texts have other token ids`);
  }
  const limit = LARGEST_KL[type];
  // NaN is above every limit.
  if (kl !== null && !(kl <= limit)) {
    fail(
      `the KL divergence is ${kl.toPrecision(3)} nats per token, but rounding to ${type} explains at most ${limit}`,
      type === 'f16' ? ' Weights may be too large for f16: pass --type bf16' : '',
    );
  }
  const most = (LARGEST_SCORE[type] ?? 5e-2) * Math.max(1, size);
  if (score !== null && !(score <= most)) {
    fail(`scores differ by ${score.toPrecision(3)}, but rounding explains at most ${most}`);
  }
  const tie = LARGEST_TIE[type];
  if (tie !== undefined && greedy !== null && greedy.margin !== null && greedy.margin > tie) {
    fail(
      `the greedy text differs after ${greedy.same} tokens, where the most likely token is ${greedy.margin.toPrecision(2)} logits ahead`,
    );
  }
}
