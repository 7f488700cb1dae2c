/** Processes that train together have lost one of them. */
export class GroupError extends Error {
  /** Ranks that did not take part, as far as it is known. */
  readonly ranks: readonly number[];

  constructor(
    message: string,
    { cause, ranks = [] }: { cause?: unknown; ranks?: readonly number[] } = {},
  ) {
    super(message, { cause });
    this.name = 'GroupError';
    this.ranks = ranks;
  }
}
