import type { RecipeStage } from './recipe.ts';

/** A stage failed; those before it are kept. */
export class StageError extends Error {
  override readonly name = 'StageError';
  readonly stage: string;

  constructor({ name, number }: RecipeStage, of: number, cause: unknown) {
    const message = cause instanceof Error ? cause.message : String(cause);
    super(`stage ${name} (${number} of ${of}): ${message}`, { cause });
    this.stage = name;
  }
}
