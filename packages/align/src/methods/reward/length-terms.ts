// ODIN's terms over an optimizer step that may be several passes.
import { cat, fromTypedArray, type Tensor } from '@keel/torch';
import { headOverlap, lengthCorrelationLoss } from '../../objectives/length-heads.ts';

/** Weights of the terms of a model with a length head. */
export interface LengthHead {
  /** Of the correlations with length (lambda_L). */
  correlation: number;
  /** Of the overlap of both heads (lambda_O). */
  orthogonality: number;
}

/**
 * The terms of a step. A correlation depends on all answers of the step: where they are in several
 * passes, all are scored before the first gradient.
 */
export class LengthTerms implements Disposable {
  readonly #weights: LengthHead;
  /** Of all passes, without gradient; empty where one pass is the step. */
  readonly #passes: { scores: Tensor; lengths: Int32Array }[] = [];

  constructor(weights: LengthHead) {
    this.#weights = weights;
  }

  /**
   * Takes over the scores of the next pass.
   * @param scores [R, 2]
   * @param lengths [R]
   */
  add(scores: Tensor, lengths: Int32Array): void {
    this.#passes.push({ scores, lengths });
  }

  /**
   * The weighted terms of the whole step. Only the scores of this pass carry a gradient, and so the
   * gradients of all passes add up to the step's.
   * @param pass place among the passes of the step
   * @param scores [R, 2] of the pass
   * @param head [2, hidden]
   * @returns []; the overlap of the heads is in the first pass
   */
  of(pass: number, scores: Tensor, lengths: Int32Array, head: Tensor): Tensor {
    const own = { scores, lengths };
    const passes = this.#passes.length === 0 ? [own] : this.#passes.with(pass, own);
    const all = Float64Array.from(passes.flatMap((one) => [...one.lengths]));
    const { dtype, device } = scores;
    const correlation = lengthCorrelationLoss(
      cat(passes.map((one) => one.scores)),
      fromTypedArray(all).to({ dtype, device }),
    ).mul(this.#weights.correlation);
    if (pass > 0) return correlation;
    return correlation.add(headOverlap(head.to(dtype)).mul(this.#weights.orthogonality));
  }

  [Symbol.dispose](): void {
    for (const { scores } of this.#passes) scores.dispose();
  }
}
