// `${stages.sft}` as an option's value: the result of an earlier stage.
import { snakeCase } from '../config/case.ts';
import { unknownName } from '../config/yaml-config.ts';
import type { Taken } from './measuring-verb.ts';
import {
  finalFolder,
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

const form = /^\$\{stages\.([^{}]*)\}$/;

export interface Referring {
  /** The referring stage. */
  name: string;
  option: string;
  /** What the referring stage's verb produces; null if it measures. */
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
 * The stage that a value names, and the path to use for it; null if it names none.
 * @returns an error message if it names a stage that cannot be used
 */
export function resolveReference(
  value: string,
  { name: own, option, gives, takes, output, earlier, all }: Referring,
): { stage: TrainingStage; path: string } | string | null {
  if (!value.includes('${')) return null;
  const taken = takes[option];
  const names = Object.keys(takes).map(snakeCase).join(', ');
  if (taken === undefined) return `cannot take a stage's result; the options that can are ${names}`;
  const match = form.exec(value);
  if (match === null) return `expected exactly \${stages.NAME}, found "${value}"`;
  const name = match[1]!;
  const stage = earlier.find((one) => one.name === name);
  if (stage === undefined) {
    const before = all.slice(0, all.indexOf(own));
    // That stage has errors, which are reported already.
    if (before.includes(name)) return null;
    if (!all.includes(name)) return unknownName('stage', name, before.length > 0 ? before : all);
    return `stage "${name}" does not come before "${own}"; a stage can only use the results of earlier stages`;
  }
  if (stage.kind === 'measuring') {
    return `stage "${name}" (keel ${stage.verb}) only measures: it has no model for another stage`;
  }
  if (taken === 'run') return { stage, path: stageFolder(output, name) };
  const { lora } = stage.options;
  const made = verbOf(stage).gives;
  if (taken === 'reward model') {
    if (made === taken) return { stage, path: finalFolder(output, name) };
    return `expected a reward model, but stage "${name}" (keel ${stage.verb}) produces a language model`;
  }
  if (made === 'reward model' && (taken === 'model' || gives !== made)) {
    return `expected a language model, but stage "${name}" (keel ${stage.verb}) produces a reward model`;
  }
  if (taken === 'model') return { stage, path: (lora ? mergedFolder : finalFolder)(output, name) };
  if (lora) return { stage, path: finalFolder(output, name) };
  return `stage "${name}" trains all weights, so it has no adapter. Write model: ${value}`;
}
