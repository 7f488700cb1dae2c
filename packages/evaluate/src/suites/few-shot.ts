// Examples before a prompt: the first rows of the data, except the row itself.
import { ConfigError } from '@keel/align/config';
import { type Doc, type Docs, openDocs } from '../rows/docs.ts';
import type { SpecOf } from './suite-schema.ts';

type FewShot = NonNullable<SpecOf<'multiple-choice'>['few_shot']>;

/**
 * @param textOf reads an example of the rows that it is given
 * @returns the examples' text before a row's prompt; '' without examples
 * @throws ConfigError if there are too few rows
 */
export async function examplesOf(
  { few_shot: fewShot }: { few_shot?: FewShot | undefined },
  place: string,
  all: Docs,
  textOf: (rows: Docs) => (doc: Doc) => string,
): Promise<(doc: Doc) => string> {
  if (fewShot === undefined) return () => '';
  const { count, data, separator } = fewShot;
  const rows = data === undefined ? all : await openDocs(data);
  const available = rows.docs.length - (data === undefined ? 1 : 0);
  if (count > available) {
    throw new ConfigError([
      `${place}: few_shot: count: ${count} examples, but there are only ${available} rows for them`,
    ]);
  }
  const read = textOf(rows);
  const examples = rows.docs.slice(0, count + 1).map((doc) => ({ doc, text: read(doc) }));
  return (doc) =>
    examples
      .filter((one) => data !== undefined || one.doc.id !== doc.id)
      .slice(0, count)
      .map(({ text }) => text + separator)
      .join('');
}
