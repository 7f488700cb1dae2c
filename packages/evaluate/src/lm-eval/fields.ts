// What a row says under doc_to_text, doc_to_target and doc_to_choice (ConfigurableTask in
// lm_eval/api/task.py).

import { DataError } from '@keel/align';
import { pythonRepr } from '@keel/model';
import { exactJson, PythonFloat } from '@keel/model/exact-json';
import { choiceList } from '../rows/choice-list.ts';
import { columnReader, templateReader } from '../rows/doc-text.ts';
import type { Doc, Docs } from '../rows/docs.ts';
import { LiteralError, parsePythonLiteral } from '../rows/python-literal.ts';
import type { LmEvalTask } from './task-schema.ts';

/** The target of a row: the index of a choice, a text, or several of them. */
export type Target = number | string | readonly (number | string)[];

export interface Fields {
  text(doc: Doc): string | number;
  target(doc: Doc): Target;
  /** null for a task without choices. */
  choices: ((doc: Doc) => string[]) | null;
}

/** @throws Error naming the key of a template that is wrong */
export function fieldsOf(task: LmEvalTask, { columns }: Docs, path: string): Fields {
  const hasChoices = task.doc_to_choice !== null && task.doc_to_choice !== undefined;
  const field = (written: string | number, key: string): ((doc: Doc) => unknown) => {
    if (typeof written === 'number') return () => written;
    if (columns.has(written)) return (doc) => columnReader(written).read(doc);
    const template = templateReader(written, `${path}: ${key}`);
    return (doc) => {
      const text = template.read(doc) as string;
      if (hasChoices && /^\d+$/.test(text)) return Number(text);
      if (key === 'doc_to_target' && /^\[[\s\S]*\]$/.test(text)) return literalOr(text);
      return text;
    };
  };
  const text = field(task.doc_to_text, 'doc_to_text');
  const target = field(task.doc_to_target ?? '', 'doc_to_target');
  return {
    text: (doc) => {
      const value = text(doc);
      if (typeof value === 'string' || typeof value === 'number') return value;
      if (typeof value === 'bigint' || value instanceof PythonFloat) return pythonRepr(value);
      throw new DataError({
        ...doc.place,
        field: 'doc_to_text',
        found: pythonRepr(value as never),
      });
    },
    target: (doc) => targetOf(target(doc), doc),
    choices: hasChoices ? choicesOf(task.doc_to_choice!, columns, path) : null,
  };
}

function targetOf(value: unknown, doc: Doc): Target {
  if (typeof value === 'string' || typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  // lm-eval compares with Python's text of a number; as a number it would lose digits.
  if (typeof value === 'bigint' || value instanceof PythonFloat) return pythonRepr(value);
  if (Array.isArray(value) && value.every((one) => ['string', 'number'].includes(typeof one))) {
    return value as (string | number)[];
  }
  throw new DataError({
    ...doc.place,
    field: 'doc_to_target',
    expected: 'a text, a number or a list of these',
    found: exactJson(value) ?? 'nothing',
  });
}

const literalOr = (text: string): unknown => {
  try {
    return parsePythonLiteral(text);
  } catch (error) {
    if (error instanceof LiteralError) return text;
    throw error;
  }
};

function choicesOf(
  written: NonNullable<LmEvalTask['doc_to_choice']>,
  columns: ReadonlySet<string>,
  path: string,
): (doc: Doc) => string[] {
  if (Array.isArray(written)) return () => written;
  if (typeof written !== 'string') return () => Object.values(written);
  if (columns.has(written)) {
    const column = columnReader(written);
    return (doc) => choiceList(column.read(doc), doc, written);
  }
  const template = templateReader(written, `${path}: doc_to_choice`);
  return (doc) => {
    const text = template.read(doc) as string;
    try {
      return choiceList(parsePythonLiteral(text), doc, 'doc_to_choice');
    } catch (error) {
      if (!(error instanceof LiteralError)) throw error;
      throw new DataError({ ...doc.place, field: 'doc_to_choice', found: error.message });
    }
  };
}
