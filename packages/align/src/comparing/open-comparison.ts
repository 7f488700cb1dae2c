// Turns options into the entries of a comparison, each a run of keel dpo or keel kto with all of
// its options.

import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { snakeCase } from '../config/case.ts';
import { ConfigError } from '../config/config-error.ts';
import { resolveEntries } from '../config/resolve-options.ts';
import { rowsOf } from '../config/row-options.ts';
import { completeDate } from '../config/template-options.ts';
import { writeConfigYaml } from '../config/write-config.ts';
import { yamlText } from '../config/yaml-text.ts';
import { openRows, type RowSource } from '../data/open-rows.ts';
import { trainingFault } from '../data/training-fault.ts';
import { stageFolder } from '../recipes/recipe.ts';
import { refuseOtherFolder } from '../recipes/run-recipe.ts';
import { sharedDate } from '../recipes/shared-date.ts';
import { writeStageRecords } from '../recipes/stage-records.ts';
import { stageVerbs } from '../recipes/stage-verbs.ts';
import { checkReward } from '../rewards/open-reward.ts';
import { totalSteps } from '../training/run-training.ts';
import { checkPairs } from './check-pairs.ts';
import { type CompareOptions, compareDefinition } from './compare-options.ts';
import { type CompareEntry, type Comparison, type EntryPlan, entryName } from './comparison.ts';
import { readPlans } from './read-plans.ts';
import { writeUnpaired, writeUnpairedOnce } from './unpaired-rows.ts';

export interface OpenComparisonOptions {
  /** Where to write pairs as single answers. The comparison's own folder is then left alone. */
  dataFolder?: string;
}

/**
 * Reads the entries, checks all rows, and writes the pairs as single answers if an entry needs
 * them.
 * @throws ConfigError for invalid entries
 * @throws DataError, Error for invalid rows, or rows that do not suit one of the objectives
 */
export async function openComparison(
  asked: CompareOptions,
  { dataFolder }: OpenComparisonOptions = {},
): Promise<Comparison> {
  const plans = readPlans(asked);
  const templateDate =
    asked.templateDate === null
      ? sharedDate(asked.output, asked.overwrite)
      : completeDate(asked.templateDate)!;
  const options = { ...asked, templateDate };
  refuseOtherFolder(options.output, 'a comparison');
  const open = (files: readonly string[]): Promise<RowSource<'preference'>> =>
    openRows(files, { ...rowsOf(options), kind: 'preference', refuse: trainingFault });
  await using rows = await open(options.data);
  await using heldOut = await open(options.evalData);
  const steps = totalSteps(options, rows.length);
  const written = dataFolder ?? join(options.output, 'data');
  const folder = { dataFolder: written, steps };
  const entries = plans.flatMap((plan) =>
    options.seeds.map((seed) => ({ plan, seed, name: entryName(plan.group, seed) })),
  );
  const problems: string[] = [];
  const stages = entries.flatMap(({ plan, seed, name }, at): CompareEntry[] => {
    const { group, objective, beta } = plan;
    try {
      const own = optionsOf(plan, seed, options, folder);
      const { verb } = objective;
      const stage = { name, number: at + 1, verb, options: own, from: new Map<string, string[]>() };
      return [{ ...stage, kind: 'training', group, objective, beta, seed }];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
      return [];
    }
  });
  if (problems.length > 0) throw new ConfigError([...new Set(problems)]);
  await checkPairs(stages, rows);
  if (options.reward !== null) await checkReward(options.reward);
  if (dataFolder === undefined) takeFolder(options.output, templateDate);
  if (stages.some(({ verb }) => verb === 'kto')) {
    const pairs = steps * options.batchSize;
    for (const seed of options.seeds) {
      const order = { seed, shuffle: options.shuffle, pairs };
      await writeUnpaired(unpairedFile(written, seed), rows, order);
    }
    if (options.evalSteps !== null) await writeUnpairedOnce(heldOutFile(written), heldOut);
  }
  const text = textOf(options, plans);
  const { output } = options;
  return { path: 'keel compare', text, output, options, stages, steps, templateDate };
}

/** Marks the folder as a comparison's, even if the comparison is interrupted at once. */
function takeFolder(output: string, templateDate: string): void {
  mkdirSync(output, { recursive: true });
  if (!existsSync(join(output, 'stages.json'))) writeStageRecords(output, {}, templateDate);
}

const unpairedFile = (folder: string, seed: number): string =>
  join(folder, `unpaired-s${seed}.jsonl`);
const heldOutFile = (folder: string): string => join(folder, 'unpaired-held-out.jsonl');

/** Options that a run inherits unchanged from the comparison. */
const taken = compareDefinition.descriptors
  .filter(({ flagOnly }) => !flagOnly)
  .map(({ name }) => name);

function optionsOf(
  { group, objective, beta, own, place }: EntryPlan,
  seed: number,
  options: CompareOptions,
  { dataFolder, steps }: { dataFolder: string; steps: number },
): CompareEntry['options'] {
  const { definition } = stageVerbs[objective.verb]!;
  const { evalSteps, batchSize, microBatchSize } = options;
  const evaluated = evalSteps !== null;
  const common = {
    ...Object.fromEntries(taken.map((name) => [name, options[name as keyof CompareOptions]])),
    output: stageFolder(options.output, entryName(group, seed)),
    seed,
    evalData: evaluated ? options.evalData : null,
    epochs: 1,
    maxSteps: steps,
    // A comparison samples its own answers, and measures suites itself, once for each entry.
    ...{ samplePrompts: null, evalSuites: null },
    ...(beta !== null && { beta }),
  };
  const values: Record<string, unknown> =
    objective.verb === 'dpo'
      ? { ...common, loss: objective.loss, lossWeights: objective.weights }
      : {
          ...common,
          loss: objective.loss[0],
          data: [unpairedFile(dataFolder, seed)],
          evalData: evaluated ? [heldOutFile(dataFolder)] : null,
          // The files have Keel's names, and their rows are wrapped already.
          ...{ columns: null, wrapChat: false },
          // The file is in the run's order, with two rows per pair.
          shuffle: false,
          batchSize: 2 * batchSize,
          microBatchSize: microBatchSize && 2 * microBatchSize,
        };
  const known = definition.descriptors.map(({ name }) => name);
  const entries = new Map(
    Object.entries(values)
      .filter(([name]) => known.includes(name))
      .map(([name, value]) => [name, { value, place }]),
  );
  for (const [name, entry] of own) entries.set(name, entry);
  return resolveEntries(definition, { entries, place }) as CompareEntry['options'];
}

/** The comparison as a file for `keel compare --config`. */
function textOf(options: CompareOptions, plans: readonly EntryPlan[]): string {
  const entries = plans.map(({ group, beta, objective: { loss, weights }, own }) => ({
    name: group,
    objective: loss
      .map((name, at) => (weights[at] === 1 ? name : `${weights[at]}*${name}`))
      .join('+'),
    ...(beta !== null && { beta }),
    ...Object.fromEntries([...own].map(([name, { value }]) => [snakeCase(name), value])),
  }));
  const own = { ...options, objectives: null, betas: null };
  return `${writeConfigYaml(compareDefinition, own)}\n# What is compared\n${yamlText({ entries })}`;
}
