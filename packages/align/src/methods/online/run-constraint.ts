// What the answers of an online run match: its options, compiled for the model, and how the run
// records them.
import { createHash } from 'node:crypto';
import { type Constraint, ConstraintError, type LanguageModel } from '@keel/model';
import { AnswerConstraints } from '../../batching/answer-constraints.ts';
import {
  type ConstraintOptions,
  constraintFlag,
  readConstraint,
} from '../../config/constraint-options.ts';
import type { FileHash } from '../../data/open-rows.ts';
import type { PlanFact } from '../../training/run-plan.ts';

export interface RunConstraint {
  compiled: AnswerConstraints;
  /** The option that sets it. */
  flag: string;
  constraint: Constraint;
}

/**
 * @returns null: the answers may be anything
 * @throws Error naming the option and its fault
 */
export async function openConstraint(
  options: ConstraintOptions,
  model: LanguageModel,
): Promise<RunConstraint | null> {
  const flag = constraintFlag(options);
  const constraint = readConstraint(options);
  if (flag === null || constraint === null) return null;
  try {
    return { compiled: await AnswerConstraints.compile(model, constraint), flag, constraint };
  } catch (error) {
    if (!(error instanceof ConstraintError)) throw error;
    throw new Error(`${flag}: ${error.message}`, { cause: error });
  }
}

/**
 * The content of a schema, whose option may name a file: it may change between a run and its
 * resumption. Null for other constraints, which the configuration or the list of files has.
 */
export function schemaInput(
  { jsonSchema }: ConstraintOptions,
  { constraint }: RunConstraint,
): FileHash[] | null {
  if (jsonSchema === null) return null;
  const sha256 = createHash('sha256').update(JSON.stringify(constraint)).digest('hex');
  return [{ name: jsonSchema, sha256 }];
}

/** For the plan of a run. */
export function constraintFact(
  { jsonSchema, regex, grammar, choices }: ConstraintOptions,
  { constraint, flag }: RunConstraint,
): PlanFact {
  const given = jsonSchema ?? regex ?? grammar ?? choices?.map((one) => JSON.stringify(one)).join();
  const named = given === undefined ? '' : ` ${given}`;
  const shown = named.length > 100 ? `${named.slice(0, 99)}…` : named;
  return {
    name: 'constraint',
    text: `every answer matches ${flag}${shown}; log-probabilities are over the tokens that it allows`,
    data: { ...constraint },
  };
}
