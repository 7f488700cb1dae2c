// The options of single objectives as options of a verb: each is optional, and only those of the
// chosen objectives get defaults.
import { z } from 'zod';
import { detailsOf, option } from '../config/options.ts';
import { defaultBeta, ownOptions } from './mixture.ts';
import type { PairedObjective } from './paired.ts';
import { rankedObjectiveNames } from './ranked-names.ts';
import { pairedObjectives } from './registry.ts';

type Both<Union> = (Union extends unknown ? (one: Union) => void : never) extends (
  one: infer Intersection,
) => void
  ? Intersection
  : never;
type OptionsOf<Objective> = Objective extends { options?: infer Shape }
  ? NonNullable<Shape>
  : never;
type OwnShape = Both<OptionsOf<(typeof pairedObjectives)[number]>>;

/** A shape in which every option is optional. */
export type ObjectiveOptionsShape = {
  [Key in keyof OwnShape]: z.ZodOptional<z.ZodType<z.output<OwnShape[Key]>>>;
};

const known: readonly PairedObjective[] = pairedObjectives;
const takersOf = (name: string): PairedObjective[] =>
  known.filter(({ options = {} }) => name in options);

/** Names of the options that at least one objective has. */
const ownNames: readonly string[] = [
  ...new Set(known.flatMap(({ options = {} }) => Object.keys(options))),
];

/** These options, each as the first objective that has it defines it: with the widest range. */
const shapeOf = (names: readonly string[]): Record<string, z.ZodType> =>
  Object.fromEntries(names.map((name) => [name, optionalOf(name)]));

function optionalOf(name: string): z.ZodType {
  const schema = takersOf(name)[0]!.options![name]!;
  const preset = schema instanceof z.ZodDefault ? schema.def.defaultValue : undefined;
  const inner = schema instanceof z.ZodDefault ? (schema.unwrap() as z.ZodType) : schema;
  const details = {
    ...detailsOf(schema),
    sparse: true,
    shownDefault: preset === true ? 'on' : String(preset),
  };
  return option(inner.optional(), details);
}

export const objectiveOptionsShape = shapeOf(ownNames) as unknown as ObjectiveOptionsShape;

/** The same for a verb that takes only these objectives; untyped, since they are read by name. */
export const optionsShapeOf = (objectives: readonly PairedObjective[]): Record<never, z.ZodType> =>
  shapeOf(ownNames.filter((name) => objectives.some(({ options = {} }) => name in options)));

interface Chosen {
  loss: readonly string[];
  beta: number | null;
}

const chosenOf = ({ loss }: Chosen): PairedObjective[] =>
  known.filter(({ name }) => loss.includes(name));

/** Adds an issue for each option that no chosen objective takes, or that is out of its range. */
export function checkObjectiveOptions(
  value: Chosen & Readonly<Record<string, unknown>>,
  add: (name: string, message: string) => void,
): void {
  const chosen = chosenOf(value);
  const ranked = value.loss.find((name) => rankedObjectiveNames.includes(name));
  if (ranked !== undefined) {
    for (const name of ownNames) {
      if (value[name] !== undefined)
        add(name, `the objective ${ranked} does not have this option. Remove it`);
    }
  }
  // A program's own objectives may take any option.
  if (chosen.length < new Set(value.loss).size) return;
  const names = value.loss.join(', ');
  if (value.beta !== null && chosen.every((one) => defaultBeta(one) === null)) {
    add('beta', `the objective ${names} has no beta. Remove the option`);
  }
  for (const name of ownNames) {
    if (value[name] === undefined) continue;
    if (chosen.some(({ options = {} }) => name in options)) continue;
    const takers = takersOf(name).map((one) => one.name);
    add(
      name,
      `the objective ${names} does not have this option (${takers.join(', ')} do). Remove it`,
    );
  }
  for (const objective of chosen) {
    try {
      ownOptions(objective, value);
    } catch (error) {
      if (!(error instanceof z.ZodError)) throw error;
      for (const issue of error.issues) {
        const name = String(issue.path[0]);
        add(name, `expected a number ${issue.message}, found ${String(value[name])}`);
      }
    }
  }
}

/** Fills in the options of the chosen objectives, and beta if all have the same default. */
export function completeObjectiveOptions<Value extends Chosen>(value: Value): Value {
  const chosen = chosenOf(value);
  const own = Object.assign(
    {},
    ...chosen.map((one) => ownOptions(one, { ...value } as Record<string, unknown>)),
  );
  const betas = new Set(chosen.map(defaultBeta));
  const [only = null] = betas;
  return { ...value, ...own, beta: value.beta ?? (betas.size === 1 ? only : null) };
}

/** What of an objective, or of a sum of objectives, limits other options. */
export interface ObjectiveTraits {
  name: string;
  /** Whether it compares with a reference. */
  needsReference: boolean;
  /** Whether it compares the pairs of a step with one another. */
  coupled?: boolean;
}

/** The traits of the chosen objectives together; null if one is not in the registry. */
export function traitsOf(loss: readonly string[]): ObjectiveTraits | null {
  const chosen = known.filter(({ name }) => loss.includes(name));
  if (chosen.length < new Set(loss).size) return null;
  return {
    name: loss.join(' + '),
    needsReference: chosen.some(({ needsReference }) => needsReference),
    coupled: chosen.some(({ coupled }) => coupled),
  };
}

/** Whether an objective of the registry has no beta. */
export const hasNoBeta = (name: string): boolean =>
  known.some((one) => one.name === name && defaultBeta(one) === null);

/** Whether an objective of the registry compares the pairs of a step with one another. */
export const isCoupled = (name: string): boolean =>
  known.some((one) => one.name === name && one.coupled === true);

/** The default betas of these objectives, for --help. */
export function shownBetas(objectives: readonly PairedObjective[] = known): string {
  const byBeta = new Map<number | null, string[]>();
  for (const one of objectives) {
    const beta = defaultBeta(one);
    byBeta.set(beta, [...(byBeta.get(beta) ?? []), one.name]);
  }
  const others = [...byBeta]
    .filter(([beta]) => beta !== null && beta !== 0.1)
    .map(([beta, names]) => `${beta} for ${names.join(' and ')}`);
  return `0.1; ${others.join(', ')}`;
}
