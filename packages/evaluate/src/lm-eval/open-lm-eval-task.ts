// A task file of lm-evaluation-harness as a task of Keel: the same prompts, the same metrics.

import { DataError } from '@keel/align';
import { ConfigError } from '@keel/align/config';
import { exactJson } from '@keel/model/exact-json';
import { type Doc, openDocs } from '../rows/docs.ts';
import { dataPath } from '../suites/read-suite.ts';
import { type Metric, meanOf, shareOf } from '../tasks/metrics.ts';
import { type ChoiceRequest, runChoices } from '../tasks/multiple-choice.ts';
import type { Item, Task } from '../tasks/task.ts';
import { contextOf } from './few-shot.ts';
import { type Fields, fieldsOf } from './fields.ts';
import { generationRun } from './generate-until.ts';
import { likelihoodRun, rollingRun } from './likelihood.ts';
import { metricsOf } from './metric-list.ts';
import type { ReadTask } from './read-task.ts';
import type { LmEvalTask } from './task-schema.ts';

/**
 * Opens a task's rows and checks them.
 * @param limit only the first rows; null: all
 * @throws ConfigError for a task without a split to evaluate, DataError naming a row that is wrong
 */
export async function openLmEvalTask(
  { task, path, folder }: ReadTask,
  limit: number | null,
): Promise<Task> {
  const split = task.test_split ?? task.validation_split;
  if (split === null || split === undefined) {
    throw new ConfigError([`${path}: test_split or validation_split is required`]);
  }
  const all = await openDocs(dataOf(task, split, folder, path));
  const docs = limit === null ? all.docs : all.docs.slice(0, limit);
  const fields = fieldsOf(task, all, path);
  const shots = task.num_fewshot ?? 0;
  const context = await contextOf({ task, path, folder, split, fields, all, dataOf });
  return {
    name: task.task,
    type: task.output_type,
    description: '',
    config: task as unknown as Record<string, unknown>,
    originalCount: all.docs.length,
    shots,
    version: (task.metadata?.version as string | number | undefined) ?? null,
    ...parts(task, path, fields, context, docs),
  };
}

type Parts = Pick<Task, 'items' | 'metrics' | 'filters' | 'run'>;

function parts(
  task: LmEvalTask,
  path: string,
  fields: Fields,
  context: (doc: Doc) => string,
  docs: readonly Doc[],
): Parts {
  switch (task.output_type) {
    case 'multiple_choice':
      return choiceParts(task, path, fields, context, docs);
    case 'loglikelihood':
      return likelihoodRun(task, path, fields, context, docs);
    case 'loglikelihood_rolling':
      return rollingRun(task, path, fields, docs);
    case 'generate_until':
      return generationRun(task, path, fields, context, docs);
  }
}

function choiceParts(
  task: LmEvalTask,
  path: string,
  fields: Fields,
  context: (doc: Doc) => string,
  docs: readonly Doc[],
): Parts {
  const { choices } = fields;
  if (choices === null) throw new ConfigError([`${path}: doc_to_choice is required`]);
  const known: Record<string, Metric> = {
    ...{ acc: shareOf('acc'), acc_norm: shareOf('acc_norm'), acc_bytes: shareOf('acc_bytes') },
    ...{ exact_match: shareOf('exact_match'), acc_mutual_info: shareOf('acc_mutual_info') },
    brier_score: meanOf('brier_score', false),
  };
  const metrics = metricsOf(task, path, known, ['acc', 'acc_norm']);
  const unconditional = metrics.some(({ name }) => name === 'acc_mutual_info');
  const items = docs.map((doc): Item<ChoiceRequest> => {
    const texts = choices(doc);
    const text = fields.text(doc);
    const target = fields.target(doc);
    if (typeof text === 'number') return multipleInputs(task, doc, texts, text, target);
    return {
      doc,
      request: {
        choices: texts,
        gold: goldOf(target, texts, doc),
        context: context(doc),
        continuations: texts.map((one) => task.target_delimiter + one),
        unconditional,
      },
    };
  });
  return { items, metrics, filters: ['none'], run: runChoices as Task['run'] };
}

/** As in Winogrande: the choices are contexts, and the target is scored after each of them. */
function multipleInputs(
  task: LmEvalTask,
  doc: Doc,
  texts: readonly string[],
  gold: number,
  target: unknown,
): Item<ChoiceRequest> {
  if (gold >= texts.length) throw outside(gold, texts, doc);
  if ((task.num_fewshot ?? 0) > 0 || task.description !== '') {
    throw new DataError({
      ...doc.place,
      field: 'doc_to_text',
      found: 'the index of a context, which Keel reads only without few-shot and description',
    });
  }
  const continuation = `${task.target_delimiter}${String(target)}`;
  return {
    doc,
    request: {
      choices: texts,
      gold: [gold],
      context: texts,
      continuations: texts.map(() => continuation),
      unconditional: false,
    },
  };
}

function goldOf(target: unknown, choices: readonly string[], doc: Doc): number[] {
  const several = Array.isArray(target) ? target : [target];
  return several.map((one) => {
    const index = typeof one === 'number' ? one : choices.indexOf(String(one));
    if (index < 0 || index >= choices.length) throw outside(one, choices, doc);
    return index;
  });
}

const outside = (found: unknown, choices: readonly string[], { place }: Doc): DataError =>
  new DataError({
    ...place,
    field: 'doc_to_target',
    expected: `the index or the text of one of ${choices.length} choices`,
    found: exactJson(found),
  });

/** The files of a split. */
function dataOf(
  { dataset_path: dataset, dataset_name: name, dataset_kwargs: kwargs }: LmEvalTask,
  split: string,
  folder: string,
  path: string,
): string[] {
  const given = kwargs?.data_files;
  const builders = ['json', 'csv', 'parquet'];
  if (!builders.includes(dataset)) {
    if (given !== undefined) {
      throw new ConfigError([
        `${path}: dataset_kwargs: data_files belong to dataset_path ${builders.join(', ')}`,
      ]);
    }
    if (!/^[\w.-]+\/[\w.-]+$/.test(dataset)) {
      throw new ConfigError([
        `${path}: dataset_path: expected json, csv or parquet with dataset_kwargs.data_files, or owner/name on the hub, found "${dataset}"`,
      ]);
    }
    return [`hub:${dataset}${name ? `/${name}` : ''}:${split}`];
  }
  const files =
    typeof given === 'object' && !Array.isArray(given)
      ? given[split]
      : split === 'train'
        ? given
        : undefined;
  if (files === undefined) {
    const has = typeof given === 'object' && !Array.isArray(given) ? Object.keys(given) : ['train'];
    throw new ConfigError([
      `${path}: dataset_kwargs: data_files has no split "${split}"; it has ${has.join(', ')}`,
    ]);
  }
  return (typeof files === 'string' ? [files] : files).map((one) => dataPath(one, folder));
}
