// Whether an answer follows the instructions of a row, strictly and loosely (Zhou et al. 2023,
// section 2.3).

import { ConfigError, nearest } from '@keel/align/config';
import { knownLanguages } from '@keel/align/hacking';
import { exactJson } from '@keel/model/exact-json';
import { instructionKinds } from './instruction-kinds.ts';

/** An instruction with its parameters checked. */
export interface Instruction {
  id: string;
  parameters: Readonly<Record<string, unknown>>;
}

/**
 * The instructions of a row.
 * @param ids its `instruction_id_list`
 * @param kwargs their parameters, one object per id; null and absent are the same
 * @throws ConfigError naming the instruction that is unknown, or the parameter that is wrong
 */
export function readInstructions(ids: unknown, kwargs: unknown): Instruction[] {
  if (!Array.isArray(ids) || ids.length === 0) {
    throw new ConfigError(['instruction_id_list: expected a list of instruction ids']);
  }
  const given = kwargs ?? ids.map(() => ({}));
  if (!Array.isArray(given) || given.length !== ids.length) {
    const found = Array.isArray(given) ? `${given.length} objects` : exactJson(given);
    throw new ConfigError([
      `kwargs: expected one object for each of the ${ids.length} instructions, found ${found}`,
    ]);
  }
  return ids.map((id: unknown, index) => readInstruction(id, given[index]));
}

function readInstruction(id: unknown, given: unknown): Instruction {
  const known = Object.keys(instructionKinds);
  const kind =
    typeof id === 'string' && Object.hasOwn(instructionKinds, id) ? instructionKinds[id] : null;
  if (!kind) {
    const near = nearest(String(id), known);
    throw new ConfigError([
      `instruction_id_list: unknown instruction ${exactJson(id)}${near === null ? `. Keel has ${known.join(', ')}` : `; did you mean "${near}"?`}`,
    ]);
  }
  const entries = Object.entries((given ?? {}) as object).filter(([, value]) => value !== null);
  const parsed = kind.parameters.safeParse(Object.fromEntries(entries));
  if (!parsed.success) {
    throw new ConfigError(
      parsed.error.issues.map((issue) => {
        const where = [...issue.path, ...(issue.code === 'unrecognized_keys' ? issue.keys : [])];
        return `kwargs of ${id}: ${where.map(String).join('.')}: ${issue.message}`;
      }),
    );
  }
  const { language } = parsed.data as { language?: string };
  if (language !== undefined && !knownLanguages.includes(language)) {
    throw new ConfigError([
      `kwargs of ${id}: language: unknown language "${language}". Keel knows ${knownLanguages.join(', ')}`,
    ]);
  }
  return { id: id as string, parameters: parsed.data };
}

/** Whether an answer follows an instruction as it is. An empty answer follows none. */
export const followsStrictly = (answer: string, { id, parameters }: Instruction): boolean =>
  answer.trim() !== '' && instructionKinds[id]!.follows(answer, parameters as never);

/**
 * Whether an answer follows an instruction once Markdown's asterisks, the first line ("Sure, here
 * it is:") or the last line, or several of these, are removed.
 */
export const followsLoosely = (answer: string, instruction: Instruction): boolean =>
  looseForms(answer).some((form) => followsStrictly(form, instruction));

function looseForms(answer: string): string[] {
  const lines = answer.split('\n');
  const parts = [lines, lines.slice(1), lines.slice(0, -1), lines.slice(1, -1)];
  const forms = parts.map((part, index) => (index === 0 ? answer : part.join('\n').trim()));
  return [...forms, ...forms.map((form) => form.replaceAll('*', ''))];
}
