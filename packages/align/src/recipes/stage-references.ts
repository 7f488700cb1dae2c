// `${stages.sft}` in place of an option's value: the result of an earlier stage.
import { snakeCase } from '../config/case.ts';
import { unknownName } from '../config/yaml-config.ts';
import { finalFolder, mergedFolder, type RecipeStage, verbOf } from './recipe.ts';
import type { StageResult } from './stage-verbs.ts';

/** What an option takes of a stage. */
type Taken = 'model' | 'adapter' | 'reward model';

/** Options that may name a stage. */
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
  /** The stage that refers. */
  name: string;
  option: string;
  /** What the verb of the stage that refers gives. */
  gives: StageResult;
  output: string;
  /** The stages before it, but those with errors of their own. */
  earlier: readonly RecipeStage[];
  /** Names of all stages. */
  all: readonly string[];
}

/**
 * The stage that a value names, and the path that it stands for; null where it names none.
 * @returns a complaint as text where it names what is not there
 */
export function resolveReference(
  value: string,
  { name: own, option, gives, output, earlier, all }: Referring,
): { stage: RecipeStage; path: string } | string | null {
  if (!value.includes('${')) return null;
  const taken = takingOptions[option];
  const names = Object.keys(takingOptions).map(snakeCase).join(', ');
  if (taken === undefined) return `takes no stage's result; those that do are ${names}`;
  const match = form.exec(value);
  if (match === null) return `expected \${stages.NAME} and nothing beside it, found "${value}"`;
  const name = match[1]!;
  const stage = earlier.find((one) => one.name === name);
  if (stage === undefined) {
    const before = all.slice(0, all.indexOf(own));
    // It has errors of its own, which are told.
    if (before.includes(name)) return null;
    if (!all.includes(name)) return unknownName('stage', name, before.length > 0 ? before : all);
    return `the stage "${name}" does not come before "${own}": a stage stands on those before it`;
  }
  const { lora } = stage.options;
  const made = verbOf(stage).gives;
  if (taken === 'reward model') {
    if (made === taken) return { stage, path: finalFolder(output, name) };
    return `expected a reward model, and the stage "${name}" (keel ${stage.verb}) gives a language model`;
  }
  if (made === 'reward model' && (taken === 'model' || gives !== made)) {
    return `expected a language model, and the stage "${name}" (keel ${stage.verb}) gives a reward model`;
  }
  if (taken === 'model') return { stage, path: (lora ? mergedFolder : finalFolder)(output, name) };
  if (lora) return { stage, path: finalFolder(output, name) };
  return `the stage "${name}" trains all weights and gives no adapter: write model: ${value}`;
}
