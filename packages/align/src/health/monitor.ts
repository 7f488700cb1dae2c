// Watches a run: receives its numbers and answers as they are computed, and reports each finding
// once.

import { allCutOff } from './all-cut-off.ts';
import { chosenCollapse } from './chosen-collapse.ts';
import { degenerateAnswers } from './degenerate-answers.ts';
import type { Detector } from './detector.ts';
import { ensembleDisagreement } from './ensemble-disagreement.ts';
import { entropyCollapse } from './entropy-collapse.ts';
import { explodingLoss } from './exploding-loss.ts';
import { explodingMargin } from './exploding-margin.ts';
import type { Finding, FindingCode, HealthAnswer, HealthContext, HealthRow } from './finding.ts';
import { gradientsClipped } from './gradients-clipped.ts';
import { RunHistory } from './history.ts';
import { klBound } from './kl-bound.ts';
import { nothingLearnt } from './nothing-learnt.ts';
import { rewardGamed } from './reward-gamed.ts';
import { rewardSaturated } from './reward-saturated.ts';
import { zeroVariance } from './zero-variance.ts';

/** All checks, in the order in which a report lists them. */
const detectors: readonly Detector[] = [
  explodingLoss,
  explodingMargin,
  chosenCollapse,
  degenerateAnswers,
  nothingLearnt,
  zeroVariance,
  allCutOff,
  entropyCollapse,
  rewardSaturated,
  ensembleDisagreement,
  klBound,
  gradientsClipped,
  rewardGamed,
];

/** What was checked and found, as in health.json. */
export interface Health {
  /** The checks that the run had numbers for: the code of each, and what it checks. */
  checked: { code: FindingCode; looksAt: string }[];
  findings: Finding[];
}

/**
 * The same rows and answers in the same order give the same findings. A resumed run therefore
 * restores them from its files.
 */
export class HealthMonitor {
  readonly #context: HealthContext;
  readonly #history = new RunHistory();
  readonly #found = new Map<FindingCode, Finding>();

  constructor(context: HealthContext) {
    this.#context = context;
  }

  /** @returns what is new: a finding, or one that became serious */
  addRow(row: HealthRow): Finding[] {
    this.#history.add(row);
    return this.#check(({ atEnd = false }) => !atEnd);
  }

  /** @returns what is new, as {@link addRow} does */
  addAnswers(step: number, answers: readonly HealthAnswer[]): Finding[] {
    this.#history.addAnswers(step, answers);
    return this.#check(({ code }) => code === degenerateAnswers.code);
  }

  /** After the last step. @returns what is new */
  end(): Finding[] {
    return this.#check(({ atEnd = false }) => atEnd);
  }

  get health(): Health {
    const applying = detectors.filter((one) => one.applies(this.#history, this.#context));
    return {
      checked: applying.map(({ code, looksAt }) => ({ code, looksAt })),
      findings: [...this.#found.values()],
    };
  }

  #check(which: (detector: Detector) => boolean): Finding[] {
    return detectors.filter(which).flatMap((detector) => {
      const before = this.#found.get(detector.code);
      if (before?.severity === 'serious') return [];
      const draft = detector.check(this.#history, this.#context);
      if (draft === null || before?.severity === draft.severity) return [];
      const found = { code: detector.code, step: this.#history.step, ...draft };
      this.#found.set(detector.code, found);
      return [found];
    });
  }
}
