// Fields that limit what an answer may be: OpenAI's `response_format`, vLLM's `structured_outputs`
// and the older `guided_…`, and llama.cpp's `json_schema` and `grammar`.
import {
  type Constraint,
  ConstraintError,
  compileConstraint,
  constraintOfField,
  constraintOfResponseFormat,
  constraintOfStructuredOutputs,
  type LanguageModel,
  opensReasoning,
  type TokenConstraint,
} from '@keel/model';
import { z } from 'zod';
import { invalid } from '../api-error.ts';

export const constraintShape = {
  response_format: z.unknown().optional(),
  structured_outputs: z.unknown().optional(),
  guided_json: z.unknown().optional(),
  guided_regex: z.unknown().optional(),
  guided_choice: z.unknown().optional(),
  guided_grammar: z.unknown().optional(),
  json_schema: z.unknown().optional(),
  grammar: z.unknown().optional(),
};

type ConstraintFields = { [Name in keyof typeof constraintShape]?: unknown };
type Name = keyof typeof constraintShape;

const kinds = {
  guided_json: 'json',
  guided_regex: 'regex',
  guided_choice: 'choice',
  guided_grammar: 'grammar',
  json_schema: 'json',
  grammar: 'grammar',
} as const;

/** A constraint, and the field that it comes from. */
export interface AskedConstraint {
  constraint: Constraint;
  param: string;
}

/**
 * What the answers to a request must match; null: anything.
 * @throws ApiError naming the field that cannot be used, or if there are several
 */
export function constraintOf(fields: ConstraintFields): AskedConstraint | null {
  const names = (Object.keys(constraintShape) as Name[]).filter((name) => fields[name] != null);
  const found = names.flatMap((param): AskedConstraint[] => {
    const constraint = refusing(param, () => parsed(param, fields[param]));
    return constraint === null ? [] : [{ constraint, param }];
  });
  const [first = null, second] = found;
  if (second === undefined) return first;
  throw invalid(
    second.param,
    `${second.param}: ${first!.param} is given too. Set only one of them`,
  );
}

function parsed(param: Name, value: unknown): Constraint | null {
  if (param === 'response_format') return constraintOfResponseFormat(value);
  if (param === 'structured_outputs') return constraintOfStructuredOutputs(value);
  return constraintOfField(kinds[param], value, param);
}

/**
 * A constraint for the answers to a prompt. If the prompt opens a reasoning block, the constraint
 * starts after it.
 * @param options.stopTokenIds tokens that end an answer
 * @param options.textTokens special tokens that are written in the answer
 * @throws ApiError naming the field whose constraint cannot be enforced
 */
export async function compiledConstraint(
  { tokenizer, decoder }: Pick<LanguageModel, 'tokenizer' | 'decoder'>,
  { constraint, param }: AskedConstraint,
  prompt: readonly number[],
  options: { stopTokenIds: Iterable<number>; textTokens?: readonly string[] },
): Promise<TokenConstraint> {
  const { stopTokenIds, textTokens = [] } = options;
  const stops = [...stopTokenIds];
  if (stops.length === 0) {
    throw invalid('ignore_eos', `ignore_eos: ${param} needs a token that ends the answer`);
  }
  try {
    return await compileConstraint(tokenizer, constraint, {
      ...{ vocabularySize: decoder.config.vocabularySize, stopTokenIds: stops, textTokens },
      afterReasoning: opensReasoning(tokenizer, prompt),
    });
  } catch (error) {
    return refusing(param, () => {
      throw error;
    });
  }
}

function refusing<T>(param: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof ConstraintError)) throw error;
    const { message } = error;
    throw invalid(param, message.startsWith(param) ? message : `${param}: ${message}`);
  }
}
