// Reads the entries to compare from options and the YAML file's `entries`.
// Not from the index, which loads LibTorch: help and schemas do not need it.
import { nameFault } from '@keel/model/safe-name';
import { ConfigError } from '../config/config-error.ts';
import type { OptionDescriptor } from '../config/options.ts';
import { describeWritten } from '../config/written.ts';
import { OPTIONS, optionEntries } from '../config/yaml-config.ts';
import { readYamlFile, type YamlFile, type YamlPair } from '../config/yaml-file.ts';
import { stageVerbs } from '../recipes/stage-verbs.ts';
import { type CompareOptions, defaultObjectives } from './compare-options.ts';
import type { EntryPlan } from './comparison.ts';
import { type NamedObjective, readObjective } from './objective-name.ts';

/**
 * Options that all entries share, so that they can be compared; they are set outside of entries.
 */
const common: readonly string[] = [
  ...['chatTemplate', 'chatTemplateKwargs', 'templateDate'],
  ...[
    'model',
    'data',
    'evalData',
    'output',
    'onBadRow',
    'columns',
    'wrapChat',
    'seed',
    'shuffle',
    'epochs',
    'maxSteps',
  ],
  ...[
    'batchSize',
    'microBatchSize',
    'microBatchTokens',
    'maxLength',
    'lora',
    'adapter',
    'reference',
  ],
  ...[
    'precomputeReference',
    'evalSteps',
    'precision',
    'basePrecision',
    'device',
    'threads',
    'loss',
    'lossWeights',
  ],
];

/** Options that would give an entry other rows, or another order, than the other entries. */
const otherRows: readonly string[] = ['rankingPairs', 'batchOrder', 'minScoreGap'];

/** An entry's own options, except `name` and `objective`. */
export const ownOptions = (verb: 'dpo' | 'kto'): OptionDescriptor[] =>
  stageVerbs[verb]!.definition.descriptors.filter(
    ({ name, flagOnly }) => !flagOnly && !common.includes(name) && !otherRows.includes(name),
  );

/**
 * The entries of a comparison, before seeds are added.
 * @throws ConfigError with every problem found: `file:line:column`, or the flag
 */
export function readPlans(options: CompareOptions): EntryPlan[] {
  const problems: string[] = [];
  const written = options.config === null ? [] : writtenEntries(options, problems);
  const names = options.objectives ?? (written.length > 0 ? [] : defaultObjectives);
  const plans = names.flatMap((text) => {
    const objective = readObjective(text);
    if (typeof objective !== 'string') {
      return withBetas(options, { group: objective.label, objective, place: '--objectives' });
    }
    problems.push(`--objectives: ${objective}`);
    return [];
  });
  const all = [...plans, ...written];
  for (const [at, { group, place }] of all.entries()) {
    if (all.findIndex((one) => one.group === group) === at) continue;
    problems.push(`${place}: two entries are named "${group}". Rename one of them`);
  }
  for (const [at, plan] of all.entries()) {
    const first = all.findIndex((one) => runOf(one) === runOf(plan));
    if (first === at || all[first]!.group === plan.group) continue;
    problems.push(
      `${plan.place}: "${plan.group}" and "${all[first]!.group}" are the same run. Remove one of them`,
    );
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return all;
}

/**
 * What determines an entry's run, as text: entries with the same text are one run under two names.
 */
function runOf({ objective: { verb, loss, weights }, beta, own }: EntryPlan): string {
  // `beta` already includes it, whether set by the entry or by the objective.
  const options = [...own].flatMap(([name, { value }]) => (name === 'beta' ? [] : [[name, value]]));
  return JSON.stringify([verb, loss, weights, beta, options.sort()]);
}

type Named = Pick<EntryPlan, 'group' | 'objective' | 'place'> & Partial<Pick<EntryPlan, 'own'>>;

/** One plan per beta; the beta is part of the name, so that more can be added later. */
function withBetas({ betas }: CompareOptions, { own = new Map(), ...plan }: Named): EntryPlan[] {
  const given = own.get('beta')?.value as number | undefined;
  const usual = usualBeta(plan.objective);
  const found = given !== undefined ? [given] : plan.objective.hasBeta && betas ? betas : [usual];
  return found.map((beta) => ({
    ...plan,
    own,
    beta,
    group: beta === null ? plan.group : `${plan.group}-b${beta}`,
  }));
}

/**
 * The verb's default beta; null for a sum of objectives whose defaults differ, and for an objective
 * without a beta.
 */
function usualBeta({ verb, loss, hasBeta }: NamedObjective): number | null {
  if (!hasBeta) return null;
  const { definition } = stageVerbs[verb]!;
  const values = { data: ['x'], output: 'x', loss: verb === 'kto' ? loss[0] : loss };
  const { beta } = definition.complete(definition.schema.parse(values)) as unknown as {
    beta: number | null;
  };
  return beta;
}

/** @returns the plans under `entries` of the YAML file */
function writtenEntries(options: CompareOptions, problems: string[]): EntryPlan[] {
  const file = readYamlFile(options.config!, OPTIONS);
  const list = file.pairs.find((pair) => file.keyOf(pair) === 'entries');
  if (list === undefined) return [];
  const items = file.itemsIn(list) ?? [];
  if (items.length === 0) {
    problems.push(`${file.placeOf(list.key)}: entries: expected a list, each with an objective`);
  }
  return items.flatMap(({ place, pairs }) => {
    if (pairs !== null) return writtenEntry(file, pairs, place, options, problems);
    problems.push(`${place}: expected an entry such as "objective: simpo"`);
    return [];
  });
}

function writtenEntry(
  file: YamlFile,
  pairs: readonly YamlPair[],
  place: string,
  options: CompareOptions,
  problems: string[],
): EntryPlan[] {
  const textOf = (key: string): { text: string; place: string } | null => {
    const pair = pairs.find((one) => file.keyOf(one) === key);
    if (pair === undefined) return null;
    const { written, place } = file.writtenOf(pair);
    return { text: written.kind === 'scalar' ? written.text : describeWritten(written), place };
  };
  const named = textOf('objective');
  const objective = named === null ? 'an entry needs an objective' : readObjective(named.text);
  if (typeof objective === 'string') {
    problems.push(`${named?.place ?? place}: ${objective}`);
    return [];
  }
  const name = textOf('name');
  if (
    name !== null &&
    (!/^[a-z0-9][a-z0-9._+-]*$/i.test(name.text) || nameFault(name.text) !== null)
  ) {
    problems.push(
      `${name.place}: "${name.text}" cannot be an entry's name, because it also names a folder. Use letters, digits, and . _ + -`,
    );
  }
  const own: YamlPair[] = [];
  for (const pair of pairs) {
    const key = file.keyOf(pair);
    if (key === 'objective' || key === 'name') continue;
    const descriptor = stageVerbs[objective.verb]!.definition.descriptors.find(
      (one) => one.yamlKey === key,
    );
    if (descriptor !== undefined && common.includes(descriptor.name)) {
      const advice = key.startsWith('loss') ? 'set it with objective' : 'set it outside of entries';
      problems.push(
        `${file.placeOf(pair.key)}: ${key} cannot be set for a single entry; ${advice}`,
      );
    } else if (descriptor !== undefined && otherRows.includes(descriptor.name)) {
      problems.push(
        `${file.placeOf(pair.key)}: ${key} would give this entry other rows or another order than the others. Remove it`,
      );
    } else own.push(pair);
  }
  const found = optionEntries(file, own, ownOptions(objective.verb));
  problems.push(...found.problems);
  const group = name?.text ?? objective.label;
  const plan = { group, objective, place: `${place}: entry "${group}"`, own: found.entries };
  // A custom name is not changed if the entry sets its own beta.
  if (name !== null && found.entries.has('beta')) {
    return [{ ...plan, beta: found.entries.get('beta')!.value as number }];
  }
  return withBetas(options, plan);
}
