/** A constraint that cannot be used. The message starts with the place of the fault in it. */
export class ConstraintError extends Error {
  override readonly name = 'ConstraintError';
}
