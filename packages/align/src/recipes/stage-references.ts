// `${stages.sft}` as an option's value: the result of an earlier stage.
// `${stages.revise}/sft.jsonl`: a file of rows that it wrote.
import { join } from 'node:path';
import { snakeCase } from '../config/case.ts';
import type { OptionDescriptor } from '../config/options.ts';
import { unknownName } from '../config/yaml-config.ts';
import type { Taken } from './job-verb.ts';
import {
  finalFolder,
  type JobStage,
  mergedFolder,
  type RecipeStage,
  stageFolder,
  type TrainingStage,
  verbOf,
} from './recipe.ts';
import type { StageResult } from './stage-verbs.ts';

/** Options of methods that may name a stage. */
export const takingOptions: Readonly<Record<string, Taken>> = {
  model: 'model',
  reference: 'model',
  adapter: 'adapter',
  reward: 'reward model',
  criticFrom: 'reward model',
  discriminatorFrom: 'reward model',
};

/** Options that read rows, which may be those of a stage. */
export const rowOptions = (
  descriptors: readonly OptionDescriptor[],
): Readonly<Record<string, Taken>> =>
  Object.fromEntries(
    descriptors.flatMap(({ name, reads }) => (reads === 'rows' ? [[name, 'rows'] as const] : [])),
  );

const form = /^\$\{stages\.([^{}]*)\}(?:\/(.+))?$/;

export interface Referring {
  /** The referring stage. */
  name: string;
  option: string;
  /** What the referring stage's verb produces; null if it trains nothing. */
  gives: StageResult | null;
  /** The options of the referring stage's verb that may name a stage. */
  takes: Readonly<Record<string, Taken>>;
  output: string;
  /** The stages before it, without those that have errors. */
  earlier: readonly RecipeStage[];
  /** Names of all stages. */
  all: readonly string[];
}

/**
 * The stage that a value names, and what to use instead: a path, or a judge; null if it names none.
 * @returns an error message if it names a stage that cannot be used
 */
export function resolveReference(
  value: string,
  { name: own, option, gives, takes, output, earlier, all }: Referring,
): { stage: RecipeStage; value: string } | string | null {
  if (!value.includes('${')) return null;
  const taken = takes[option];
  const names = Object.keys(takes).map(snakeCase).join(', ');
  if (taken === undefined) return `cannot take a stage's result; the options that can are ${names}`;
  const [match, name, file] = form.exec(value) ?? [];
  if (match === undefined || (file !== undefined && taken !== 'rows')) {
    const more = taken === 'rows' ? ` or \${stages.NAME}/file.jsonl` : '';
    return `expected exactly \${stages.NAME}${more}, found "${value}"`;
  }
  const stage = earlier.find((one) => one.name === name);
  if (stage === undefined) {
    const before = all.slice(0, all.indexOf(own));
    // That stage has errors, which are reported already.
    if (before.includes(name!)) return null;
    if (!all.includes(name!)) return unknownName('stage', name!, before.length > 0 ? before : all);
    return `stage "${name}" does not come before "${own}"; a stage can only use the results of earlier stages`;
  }
  if (stage.kind === 'job') {
    if (taken === 'rows') return rowsOf(stage, file, output);
    const instead =
      stage.job.rows.length === 0 ? 'only measures' : `writes ${stage.job.rows.join(' and ')}`;
    return `stage "${name}" (keel ${stage.verb}) ${instead}: it has no model for another stage`;
  }
  if (taken === 'rows') {
    const others = Object.keys(takes).filter((one) => takes[one] !== 'rows');
    const listed = others.map(snakeCase).join(', ');
    return `stage "${name}" (keel ${stage.verb}) trains a model and writes no rows; the options that can take it are ${listed}`;
  }
  const path = resultFor(taken, { stage, gives, output });
  return 'error' in path ? path.error : { stage, value: path.value };
}

/** A file of rows; the stage's only one if none is named. */
function rowsOf(
  stage: JobStage,
  file: string | undefined,
  output: string,
): { stage: RecipeStage; value: string } | string {
  const { rows } = stage.job;
  const about = `stage "${stage.name}" (keel ${stage.verb})`;
  if (rows.length === 0) return `${about} only measures: it writes no rows`;
  const listed = rows.map((one) => `\${stages.${stage.name}}/${one}`).join(' or ');
  if (file === undefined && rows.length > 1) return `${about} has several files: write ${listed}`;
  const named = file ?? rows[0]!;
  if (!rows.includes(named)) return `${about} has no rows in "${named}": write ${listed}`;
  return { stage, value: join(stageFolder(output, stage.name), named) };
}

/** The path of a trained model, or the judge that it is. */
function resultFor(
  taken: Exclude<Taken, 'rows'>,
  { stage, gives, output }: { stage: TrainingStage; gives: StageResult | null; output: string },
): { value: string } | { error: string } {
  const { name, options } = stage;
  const { lora } = options;
  const made = verbOf(stage).gives;
  const final = finalFolder(output, name);
  const whole = lora ? mergedFolder(output, name) : final;
  const but = `but stage "${name}" (keel ${stage.verb}) produces a`;
  if (taken === 'run') return { value: stageFolder(output, name) };
  if (taken === 'judge') {
    return { value: made === 'reward model' ? `reward:${final}` : `model:${whole}` };
  }
  if (taken === 'reward model') {
    if (made === taken) return { value: final };
    return { error: `expected a reward model, ${but} language model` };
  }
  if (made === 'reward model' && (taken === 'model' || gives !== made)) {
    return { error: `expected a language model, ${but} reward model` };
  }
  if (taken === 'model') return { value: whole };
  if (lora) return { value: final };
  return {
    error: `stage "${name}" trains all weights, so it has no adapter. Write model: \${stages.${name}}`,
  };
}
