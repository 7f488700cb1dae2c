// What the answer to a chat must match: a format, a tool call, or either.
import type { Constraint, GenerateOptions, LanguageModel, Tokenizer } from '@keel/model';
import { invalid } from '../api-error.ts';
import type { ChatFields } from '../protocol/chat-fields.ts';
import {
  type AskedConstraint,
  compiledConstraint,
  constraintOf,
} from '../protocol/constraint-fields.ts';
import { anyCall, forcedCall, forcesCall } from '../tools/forced-call.ts';
import type { ChatPrompt } from './chat-prompt.ts';

/** The options with the constraint that the fields ask for. @throws ApiError naming the field */
export async function constrainedChat(
  fields: ChatFields,
  prompt: ChatPrompt,
  options: GenerateOptions,
  { tokenizer, decoder }: Pick<LanguageModel, 'decoder'> & { tokenizer: Tokenizer },
): Promise<GenerateOptions> {
  const asked = askedOf(fields, prompt);
  if (asked === null) return options;
  const constraint = await compiledConstraint({ tokenizer, decoder }, asked, prompt.tokens, {
    stopTokenIds: options.stopTokenIds ?? [],
    textTokens: prompt.tools?.specialMarks ? prompt.tools.marks : [],
  });
  return { ...options, constraint };
}

function askedOf(fields: ChatFields, { tools: format }: ChatPrompt): AskedConstraint | null {
  const asked = constraintOf(fields);
  const { tool_choice: choice, tools } = fields;
  if (forcesCall(choice)) {
    if (format === null) {
      throw invalid('tool_choice', 'tool_choice: forces a call, but the request has no tools');
    }
    if (asked === null) return forcedCall(choice, tools!, format);
    throw invalid(
      asked.param,
      `${asked.param}: the answer is a tool call, because of tool_choice. Remove one of them`,
    );
  }
  if (asked === null || format === null) return asked;
  // The model may call a tool instead of answering.
  const options: Constraint[] = [anyCall(tools!, format), asked.constraint];
  return { ...asked, constraint: { kind: 'any', options } };
}
