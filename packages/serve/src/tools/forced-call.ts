// Answers that must be a tool call, by `tool_choice`.
import type { Constraint } from '@keel/model';
import { exactJson } from '@keel/model/exact-json';
import { invalid } from '../api-error.ts';
import type { AskedConstraint } from '../protocol/constraint-fields.ts';
import type { ToolFormat } from './tool-formats.ts';

type Tool = Record<string, unknown>;

/** Whether `tool_choice` forces a call: of any tool, or of the one that it names. */
export const forcesCall = (choice: unknown): boolean =>
  choice === 'required' || (typeof choice === 'object' && choice !== null);

/**
 * What an answer must match: one call of one of the tools, or of the one that is named, whose
 * arguments match the tool's parameters.
 * @throws ApiError if the named tool is not among them
 */
export function forcedCall(
  choice: unknown,
  tools: readonly Tool[],
  format: ToolFormat,
): AskedConstraint {
  const named = (choice as { function?: { name?: unknown } }).function?.name;
  const all = tools.map(describedIn);
  const asked = named === undefined ? all : all.filter(({ name }) => name === named);
  if (asked.length === 0) {
    throw invalid('tool_choice', `tool_choice: there is no tool ${JSON.stringify(named)} in tools`);
  }
  return { constraint: callConstraint(asked, format), param: 'tools' };
}

/** A call of one of the tools. */
export const anyCall = (tools: readonly Tool[], format: ToolFormat): Constraint =>
  callConstraint(tools.map(describedIn), format);

interface Described {
  name: string;
  parameters: unknown;
}

/** Without the types that numbers have so that templates print them as they are written. */
function describedIn(tool: Tool): Described {
  const { name, parameters } = tool.function as { name: string; parameters?: unknown };
  const none = { type: 'object', properties: {} };
  return { name, parameters: JSON.parse(exactJson(parameters ?? none)) };
}

function callConstraint(tools: readonly Described[], { written }: ToolFormat): Constraint {
  const options = tools.map(({ name, parameters }): Constraint => {
    const [before, after] = written(JSON.stringify(name));
    return {
      kind: 'sequence',
      parts: [before, { kind: 'json-schema', schema: parameters }, after],
    };
  });
  return { kind: 'any', options };
}
