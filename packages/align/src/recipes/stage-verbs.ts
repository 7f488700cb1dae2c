// The methods as stages of a recipe. Loads their options, which do without LibTorch.
import type { OptionsDefinition } from '../config/options.ts';
import type { TrainingOptions } from '../config/training-options.ts';
import type { MethodVerb, StageParts } from '../methods/registration/method-verb.ts';
import { methodVerbs } from '../methods/verbs.ts';

export type { MeasuredRows, StageResult } from '../methods/registration/method-verb.ts';

/** A method as a stage of a recipe. */
export interface StageVerb extends StageParts<TrainingOptions>, Pick<MethodVerb, 'run'> {
  // biome-ignore lint/suspicious/noExplicitAny: a method's schema has its own shape
  definition: OptionsDefinition<any, TrainingOptions>;
}

/** By name. */
export const stageVerbs: Readonly<Record<string, StageVerb>> = Object.fromEntries(
  methodVerbs.map(({ name, definition, run, stage }) => [name, { ...stage, run, definition }]),
);
