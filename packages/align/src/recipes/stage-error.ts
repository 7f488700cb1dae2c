import type { RecipeStage } from './recipe.ts';

/** A stage failed; earlier stages are kept. */
export class StageError extends Error {
  override readonly name = 'StageError';
  readonly stage: string;

  /** @param what to call it (default: stage) */
  constructor({ name, number }: RecipeStage, of: number, cause: unknown, what = 'stage') {
    const message = cause instanceof Error ? cause.message : String(cause);
    super(`${what} ${name} (${number} of ${of}): ${message}`, { cause });
    this.stage = name;
  }
}
