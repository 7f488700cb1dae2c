import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { CompileConstraintOptions, Constraint, TokenConstraint } from './constraint.ts';

/** Compiles a constraint for a tokenizer's tokens. @throws ConstraintError */
export async function compileConstraint(
  _tokenizer: Tokenizer,
  constraint: Constraint,
  _options: CompileConstraintOptions,
): Promise<TokenConstraint> {
  throw new Error(`a constraint of the kind ${constraint.kind} cannot be compiled yet`);
}
