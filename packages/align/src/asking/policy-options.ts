// Which policies score pairs. Loads nothing: the command line reads it.

/** What a policy's preference is measured by. */
export const policyMargins = ['implicit', 'likelihood'] as const;
/** @see policyMargins */
export type PolicyMargin = (typeof policyMargins)[number];

/** Which policies score pairs, and how. */
export interface PolicyOptions {
  /** Folders of policies: one model, or adapters of one base. */
  policy: readonly string[];
  /** Folder of the reference; null: the base of the adapters. */
  reference: string | null;
  /** Factor of the log-ratio. */
  beta: number;
  margin: PolicyMargin;
}
