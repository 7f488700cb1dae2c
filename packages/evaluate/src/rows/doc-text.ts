// Values of a row by a column's name or a template.

import { DataError } from '@keel/align';
import { nearest } from '@keel/align/config';
import { PythonFloat } from '@keel/model/exact-json';
import { pythonRepr, TextTemplate, TextTemplateError } from '@keel/model/without-torch';
import type { Doc } from './docs.ts';

/** Reads one value of every row. */
export interface Reader {
  /** Whether it is a column, whose values keep their types; a template writes text. */
  readonly column: boolean;
  /** The column's name. */
  readonly name?: string;
  /** @throws DataError naming the row */
  read(doc: Doc): unknown;
}

/**
 * A reader for a column's name or a template. A word without braces is a column.
 * @param place where it is written, for messages: `suite.yaml:3:5: prompt`
 * @param options.literal whether a word that is no column is a text
 * @throws Error naming the place for a column that no row has, or a template that is wrong
 */
export function readerOf(
  written: string,
  columns: ReadonlySet<string>,
  place: string,
  { literal = false } = {},
): Reader {
  if (columns.has(written)) return columnReader(written);
  if (!literal && /^\w+$/.test(written)) {
    const near = nearest(written, [...columns]);
    const advice =
      near === null ? `The columns are ${[...columns].join(', ')}` : `Did you mean "${near}"?`;
    throw new Error(`${place}: no row has a column "${written}". ${advice}`);
  }
  return templateReader(written, place);
}

export const columnReader = (name: string): Reader => ({
  column: true,
  name,
  read({ row, place }) {
    const value = row[name];
    if (value !== undefined) return value;
    throw new DataError({ ...place, field: name, expected: 'a value', found: 'nothing' });
  },
});

/** @throws Error naming the place for a template that is wrong */
export function templateReader(source: string, place: string): Reader {
  const template = compiled(source, place);
  return {
    column: false,
    read(doc) {
      try {
        return template.render(doc.row);
      } catch (error) {
        if (!(error instanceof TextTemplateError)) throw error;
        throw new DataError(
          { ...doc.place, found: `${place}: ${error.message}` },
          { cause: error },
        );
      }
    },
  };
}

function compiled(source: string, place: string): TextTemplate {
  try {
    return new TextTemplate(source);
  } catch (error) {
    if (!(error instanceof TextTemplateError)) throw error;
    throw new Error(`${place}: ${error.message}`, { cause: error });
  }
}

/** The text that a reader gives. @throws DataError for another value */
export function textOf(reader: Reader, doc: Doc, field: string): string {
  const value = reader.read(doc);
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  // As a template prints it.
  if (value instanceof PythonFloat) return pythonRepr(value);
  const found = value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value;
  throw new DataError({ ...doc.place, field, expected: 'a text', found });
}
