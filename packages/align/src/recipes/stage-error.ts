import type { RecipeStage } from './recipe.ts';

/** A stage failed; those before it are kept. */
export class StageError extends Error {
  override readonly name = 'StageError';
  readonly stage: string;

  /** @param what it is called: a stage, unless told */
  constructor({ name, number }: RecipeStage, of: number, cause: unknown, what = 'stage') {
    const message = cause instanceof Error ? cause.message : String(cause);
    super(`${what} ${name} (${number} of ${of}): ${message}`, { cause });
    this.stage = name;
  }
}
