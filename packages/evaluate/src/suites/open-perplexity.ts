// A suite's perplexity task.
import { DataError } from '@keel/align';
import { readerOf, textOf } from '../rows/doc-text.ts';
import type { Doc, Docs } from '../rows/docs.ts';
import { runPerplexity, textMetrics } from '../tasks/perplexity.ts';
import type { Task } from '../tasks/task.ts';
import type { SpecOf } from './suite-schema.ts';

export function openPerplexity(
  spec: SpecOf<'perplexity'>,
  place: string,
  { columns }: Docs,
  docs: readonly Doc[],
): Pick<Task, 'items' | 'metrics' | 'filters' | 'run'> {
  const reader = readerOf(spec.text, columns, `${place}: text`);
  const items = docs.map((doc) => {
    const text = textOf(reader, doc, 'text');
    if (text === '') throw new DataError({ ...doc.place, field: 'text', found: 'an empty text' });
    return { doc, request: text };
  });
  return { items, metrics: textMetrics, filters: ['none'], run: runPerplexity as Task['run'] };
}
