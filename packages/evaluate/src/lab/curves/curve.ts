// Curves of proxy and gold against KL: what is measured of a lab, and of a world in which all
// answers are known.

/** A policy on the way from the initial one to the most optimised. */
export interface CurvePoint {
  /** n of best-of-n, or the optimizer step, or beta of a closed world. */
  at: number;
  /** [prompts] in nats to the initial policy */
  kl: readonly number[];
  /** [prompts] relative to the initial policy, in standard deviations of its answers' rewards */
  proxy: readonly number[];
  gold: readonly number[];
}

export interface Curve {
  /** The proxy, or the group of proxies whose mean it is, or the ensemble. */
  name: string;
  /** The proxies that an ensemble has, or is compared with. */
  group: string;
  ensemble: boolean;
  method: 'best-of-n' | 'rl';
  /** What `at` of a point is. */
  counts: 'n' | 'step' | 'beta';
  /** In the order of optimisation. */
  points: readonly CurvePoint[];
}

/** How often a proxy prefers the answer that gold prefers, among those of a prompt. */
export interface Agreement {
  name: string;
  /** [prompts] share of the pairs; a tie is half */
  shares: readonly number[];
}

/** Everything that the numbers of a lab are computed from. */
export interface LabCurves {
  prompts: number;
  /** Whether the numbers are exact, so that there is nothing to estimate. */
  exact: boolean;
  /** Standard deviation of gold over the initial policy's answers: the unit. */
  goldUnit: number;
  curves: readonly Curve[];
  agreements: readonly Agreement[];
}
