// The context of a row: description, examples and the row's own text (fewshot_context and
// build_qa_turn in lm_eval/api/task.py).

import { ConfigError } from '@keel/align/config';
import { exactJson } from '@keel/model/exact-json';
import { templateReader } from '../rows/doc-text.ts';
import { type Doc, type Docs, openDocs } from '../rows/docs.ts';
import { type Fields, fieldsOf } from './fields.ts';
import type { LmEvalTask } from './task-schema.ts';

export interface ContextParts {
  task: LmEvalTask;
  path: string;
  folder: string;
  /** The split that is evaluated. */
  split: string;
  fields: Fields;
  all: Docs;
  dataOf(task: LmEvalTask, split: string, folder: string, path: string): string[];
}

/** @throws ConfigError if there are not as many examples as num_fewshot */
export async function contextOf(parts: ContextParts): Promise<(doc: Doc) => string> {
  const { task, path, fields, split, all } = parts;
  const count = task.num_fewshot ?? 0;
  const description = descriptionOf(task, path);
  if (count === 0) return (doc) => description(doc) + String(fields.text(doc));
  if (task.fewshot_config?.sampler !== 'first_n') {
    throw new ConfigError([
      `${path}: num_fewshot: ${count} needs fewshot_config: {sampler: first_n}. The other sampler of lm-eval draws with Python's random numbers`,
    ]);
  }
  const from =
    task.fewshot_config.split ??
    task.fewshot_split ??
    task.training_split ??
    task.validation_split ??
    split;
  const pool = from === split ? all : await openDocs(parts.dataOf(task, from, parts.folder, path));
  const shown = fieldsOf(task, pool, path);
  // lm-eval excludes the row itself only if test_split is where the examples come from.
  const excludes = from === task.test_split;
  const texts = pool.docs.map((doc) => ({ key: exactJson(doc.row), example: example(doc) }));
  function example(doc: Doc): string {
    const target = shown.target(doc);
    const choices = shown.choices?.(doc) ?? null;
    const only = Array.isArray(target) ? target[0]! : target;
    const answer = choices !== null && typeof only === 'number' ? choices[only]! : String(only);
    return String(shown.text(doc)) + task.target_delimiter + answer + task.fewshot_delimiter;
  }
  const available = pool.docs.length - (excludes ? 1 : 0);
  if (count > available) {
    throw new ConfigError([
      `${path}: num_fewshot: ${count} examples, but the split "${from}" has only ${available} others`,
    ]);
  }
  return (doc) => {
    const own = excludes ? exactJson(doc.row) : null;
    const examples = texts.filter(({ key }) => key !== own).slice(0, count);
    const shots = examples.map((one) => one.example).join('');
    return description(doc) + shots + String(fields.text(doc));
  };
}

function descriptionOf({ description }: LmEvalTask, path: string): (doc: Doc) => string {
  if (description === '') return () => '';
  const template = templateReader(description, `${path}: description`);
  return (doc) => template.read(doc) as string;
}
