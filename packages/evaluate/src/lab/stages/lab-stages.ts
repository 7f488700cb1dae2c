// The parts of a lab as stages of a recipe, in their order.
import { join } from 'node:path';
import type { JobVerb } from '@keel/align';
import {
  finalFolder,
  type RecipeStage,
  resolveEntries,
  stageFolder,
  stageVerbs,
  type YamlEntry,
} from '@keel/align/internal';
import type { LabOptions } from '../options/lab-options.ts';
import { ensembleJob } from './ensemble-job.ts';
import { type Ensemble, files, type PolicyRun, type ProxyModel, stageNames } from './lab.ts';
import { pairsJob } from './pairs-job.ts';
import { resolving, type Section } from './read-sections.ts';
import { scoresJob } from './scores-job.ts';

export interface LabParts {
  /** The folder of the stages. */
  output: string;
  options: LabOptions;
  defaults: ReadonlyMap<string, YamlEntry>;
  bestOfN: JobVerb;
  gold: Section<{ reward: string | null }>;
  labels: Section<{ answers: number }>;
  trained: Section<unknown>;
  sampling: Section<{ answers: number }>;
  rl: Section<{ verb: string }>;
  proxies: readonly ProxyModel[];
  ensembles: readonly Ensemble[];
  policies: readonly PolicyRun[];
}

/** A stage before its options are complete. */
interface Planned {
  name: string;
  /** A method by its name, or a job. */
  runs: string | JobVerb;
  section: Section<unknown> | null;
  /** What the lab sets, by camelCase name. */
  values: Readonly<Record<string, unknown>>;
  /** What the section may set otherwise. */
  usual?: Readonly<Record<string, unknown>>;
  from?: Readonly<Record<string, readonly string[]>>;
}

/** @param problems receives what is wrong with the options of stages */
export function labStages(parts: LabParts, problems: string[]): RecipeStage[] {
  const planned = [
    ...goldStage(parts),
    sampledStage(parts, stageNames.labels, parts.labels, parts.options.prompts),
    pairsStage(parts),
    ...parts.proxies.map((proxy) => proxyStage(parts, proxy)),
    sampledStage(parts, stageNames.samples, parts.sampling, parts.options.evalPrompts),
    ...parts.proxies.map((proxy) => scoresStage(parts, proxy)),
    ...parts.ensembles
      .filter(({ name }) => parts.policies.some(({ proxy }) => proxy === name))
      .map((ensemble) => ensembleStage(parts, ensemble)),
    ...parts.policies.map((policy) => policyStage(parts, policy)),
  ];
  return planned.flatMap((one, at) => completed(parts, one, at + 1, problems) ?? []);
}

function completed(
  { output, options, defaults }: LabParts,
  { name, runs, section, values, usual = {}, from = {} }: Planned,
  number: number,
  problems: string[],
): RecipeStage | null {
  const { precision, device, threads } = options;
  const job = typeof runs === 'string' ? null : runs;
  const definition = job?.definition ?? stageVerbs[runs as string]!.definition;
  const place = section?.place ?? name;
  const known = (one: string): boolean =>
    definition.descriptors.some((descriptor) => descriptor.name === one);
  const entry = (value: unknown): YamlEntry => ({ value, place });
  const machine = { precision, device, threads, output: stageFolder(output, name) };
  const entries = new Map<string, YamlEntry>([
    ...Object.entries(usual).map(([key, value]) => [key, entry(value)] as const),
    ...(job === null ? defaults : []),
    ...(section?.entries ?? []),
    ...Object.entries({ ...machine, ...values }).map(
      ([key, value]) => [key, entry(value)] as const,
    ),
  ]);
  for (const key of entries.keys()) if (!known(key)) entries.delete(key);
  const own = { name, number, from: new Map(Object.entries(from)) };
  const resolved = resolving(() => resolveEntries(definition, { entries, place }), problems);
  if (resolved === null) return null;
  return job === null
    ? { ...own, kind: 'training', verb: runs as string, options: resolved as never }
    : { ...own, kind: 'job', verb: job.name, options: resolved as never, job };
}

/** The gold reward as an option's value, and the stage that trains it. */
function goldOf({ gold, output }: LabParts): { value: string; from: readonly string[] } {
  const { reward } = gold.own;
  return reward === null
    ? { value: finalFolder(output, stageNames.gold), from: [stageNames.gold] }
    : { value: reward, from: [] };
}

const without = (from: Readonly<Record<string, readonly string[]>>) =>
  Object.fromEntries(Object.entries(from).filter(([, names]) => names.length > 0));

/** None if the gold reward is given. */
const goldStage = (parts: LabParts): Planned[] =>
  parts.gold.own.reward !== null
    ? []
    : [
        {
          ...{ name: stageNames.gold, runs: 'reward', section: parts.gold },
          values: { model: parts.options.model },
          usual: { lora: true, seed: parts.options.seed },
        },
      ];

/** Answers of the initial policy, scored by gold. */
function sampledStage(
  parts: LabParts,
  name: string,
  section: Section<{ answers: number }>,
  data: readonly string[],
): Planned {
  const { model, temperature, maxNewTokens, seed } = parts.options;
  const gold = goldOf(parts);
  return {
    ...{ name, runs: parts.bestOfN, section },
    values: {
      ...{ model, data, temperature, maxNewTokens, seed },
      ...{ reward: gold.value, numGenerations: section.own.answers, write: 'all' },
    },
    // Faster than the verb's own.
    usual: { batchSize: 64 },
    from: without({ reward: gold.from }),
  };
}

/** The pairs of each group of proxies. */
function pairsStage({ output, options, proxies }: LabParts): Planned {
  const groups = [...Map.groupBy(proxies, ({ group }) => group).values()].map(([first]) => first!);
  return {
    name: stageNames.pairs,
    runs: pairsJob(groups.map(({ group }) => group)),
    section: null,
    values: {
      data: [join(stageFolder(output, stageNames.labels), files.answers)],
      groups: groups.map(({ group }) => group),
      pairs: groups.map(({ pairs }) => pairs),
      noise: groups.map(({ noise }) => noise),
      seed: options.seed,
    },
    from: { data: [stageNames.labels] },
  };
}

const proxyStage = ({ output, options, trained }: LabParts, proxy: ProxyModel): Planned => ({
  ...{ name: stageNames.proxy(proxy.name), runs: 'reward', section: trained },
  values: {
    ...{ model: options.model, lora: true, seed: proxy.seed },
    data: [join(stageFolder(output, stageNames.pairs), files.pairs(proxy.group))],
  },
  // Members of an ensemble need the same scale.
  usual: { normalise: 'mean_and_deviation' },
  from: { data: [stageNames.pairs] },
});

const scoresStage = ({ output, options }: LabParts, { name }: ProxyModel): Planned => ({
  ...{ name: stageNames.scores(name), runs: scoresJob, section: null },
  values: {
    model: options.model,
    data: [join(stageFolder(output, stageNames.samples), files.answers)],
    reward: finalFolder(output, stageNames.proxy(name)),
  },
  from: { data: [stageNames.samples], reward: [stageNames.proxy(name)] },
});

const ensembleStage = (
  { output }: LabParts,
  { name, rule, weight, members }: Ensemble,
): Planned => {
  const stages = members.map((one) => stageNames.proxy(one.name));
  return {
    ...{ name: stageNames.ensemble(name), runs: ensembleJob, section: null },
    values: { members: stages.map((one) => finalFolder(output, one)), rule, weight },
    from: { members: stages },
  };
};

/** Evaluations of a policy if the lab sets none. */
const EVAL_STEPS = 4;

function policyStage(parts: LabParts, { name, proxy }: PolicyRun): Planned {
  const { output, options, rl, ensembles } = parts;
  const { model, prompts, evalPrompts, temperature, maxNewTokens, seed } = options;
  const gold = goldOf(parts);
  const combined = ensembles.some((one) => one.name === proxy);
  const made = combined ? stageNames.ensemble(proxy) : stageNames.proxy(proxy);
  return {
    ...{ name, runs: rl.own.verb, section: rl },
    values: {
      ...{ model, data: prompts, evalData: evalPrompts, temperature, maxNewTokens, seed },
      reward: combined
        ? join(stageFolder(output, made), files.ensemble)
        : finalFolder(output, made),
      gold: gold.value,
      // The result is the policy at the peak of gold.
      ...{ bestMetric: 'eval_gold', bestMetricGoal: 'higher' },
    },
    usual: { evalSteps: EVAL_STEPS, samplePrompts: null },
    from: without({ reward: [made], gold: gold.from }),
  };
}
