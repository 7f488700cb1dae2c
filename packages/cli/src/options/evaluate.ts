import { defineOptions, detailsOf, onlineShape, option, variant } from '@keel/align/config';
import { z } from 'zod';
import { baseFor } from './base-model.ts';
import { callShape, dryRunShape, machineShape, modelShape } from './shared.ts';

const texts = z.array(z.string().min(1)).min(1).nullable().default(null);

const suites = 'Suites';

const { chatTemplate, chatTemplateKwargs, templateDate } = modelShape;

const schema = z
  .strictObject({
    suite: option(texts, {
      description: 'suites to run: YAML files, or names of those that come with Keel, such as core',
      group: suites,
      value: 'suite',
      common: true,
      shownDefault: 'use --task',
    }),
    task: option(texts, {
      description: 'task files of lm-evaluation-harness (YAML) to run as they are',
      group: suites,
      reads: 'file',
      common: true,
      shownDefault: 'use --suite',
    }),
    limit: option(z.number().int().min(1).nullable().default(null), {
      description: 'use only this many rows of every task, from the start',
      group: suites,
      value: 'rows',
      common: true,
      shownDefault: 'all',
    }),
    gate: option(z.string().min(1).nullable().default(null), {
      description:
        'YAML file of gates: floors, allowed losses and wins; the exit code is 3 if one fails',
      group: suites,
      reads: 'file',
      common: true,
      shownDefault: 'no gates',
    }),
    model: option(texts, {
      ...detailsOf(modelShape.model),
      description:
        'models to evaluate: folders, runs, GGUF files or hub:owner/name[@revision]; several are compared with the first',
      shownDefault: 'the base of --adapter',
    }),
    adapter: option(texts, {
      ...detailsOf(modelShape.adapter),
      description:
        "apply this adapter (a run, or a folder in PEFT's format) to the model; several are compared with the first, and `base` stands for the model without one",
      value: 'folder',
    }),
    run: option(z.string().min(1).nullable().default(null), {
      description: 'compare a training run before and after, instead of --model and --adapter',
      group: 'Model and data',
      value: 'folder',
      common: true,
      shownDefault: 'none',
    }),
    ...{ chatTemplate, chatTemplateKwargs, templateDate },
    output: option(z.string().min(1).nullable().default(null), {
      description:
        'folder for results, samples, summary.json and report.html; finished rows in it are not asked again',
      group: 'Output',
      value: 'folder',
      common: true,
      shownDefault: 'runs/evaluate-<suite>',
    }),
    unsafeCode: variant(onlineShape.unsafeCode, { group: suites }),
    ...machineShape,
    ...callShape,
    ...dryRunShape,
    json: variant(callShape.json, { common: true }),
  })
  .check(({ value, issues }) => {
    const add = (name: string, message: string): void => {
      issues.push({ code: 'custom', path: [name], message, input: value });
    };
    if (value.suite === null && value.task === null) {
      add('suite', 'nothing to evaluate. Pass --suite core, a file of your own, or --task');
    }
    const named = [value.model !== null && '--model', value.adapter !== null && '--adapter'];
    const other = named.find((one) => one !== false);
    if (value.run !== null && other !== undefined) {
      add('run', `names its own model and adapter. Remove --run or ${other}`);
    }
  });

export const definition = defineOptions('evaluate', schema, {
  complete: ({ model, output, ...others }) => ({
    ...others,
    model: model ?? [baseFor(others.adapter?.find((one) => one !== 'base') ?? null)],
    output: output ?? `runs/evaluate-${nameOf([...(others.suite ?? []), ...(others.task ?? [])])}`,
  }),
});

/** A folder's name for suites and tasks. */
const nameOf = (paths: readonly string[]): string =>
  paths
    .map((path) => (path.split(/[\\/]/).at(-1) ?? path).replace(/\.ya?ml$/i, ''))
    .join('-')
    .replace(/[^\w.-]/g, '_');

export type EvaluateVerbOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel evaluate --suite core --adapter base,runs/first/final';
