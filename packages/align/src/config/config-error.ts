/** Limits the message: a file can have any number of problems. */
const MOST_SHOWN = 50;

/** Invalid options: every problem found, each with its place and what was expected. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[], options?: ErrorOptions) {
    const more = problems.length - MOST_SHOWN;
    const shown = problems.slice(0, MOST_SHOWN);
    super([...shown, ...(more > 0 ? [`and ${more} more like these`] : [])].join('\n'), options);
    this.problems = problems;
  }
}
