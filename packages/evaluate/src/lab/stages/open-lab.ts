// Reads a lab's YAML file into the stages of a recipe, so that it runs, resumes and is planned as
// recipes are.
import { basename, join } from 'node:path';
import type { JobVerb } from '@keel/align';
import { ConfigError } from '@keel/align/config';
import {
  optionEntries,
  readYamlFile,
  resolveEntries,
  stageVerbs,
  unknownName,
  type YamlEntry,
  type YamlFile,
  type YamlPair,
} from '@keel/align/internal';
import {
  bestOfNDefinition,
  ensemblesDefinition,
  goldDefinition,
  type LabOptions,
  labDefinition,
  labelsDefinition,
  labMethods,
  proxiesDefinition,
  rlDefinition,
  setByLab,
} from '../options/lab-options.ts';
import { ensemblesOf, policiesOf, proxiesOf } from './entries.ts';
import type { Lab } from './lab.ts';
import { labStages } from './lab-stages.ts';
import { readSection, resolving, sectionPairs } from './read-sections.ts';

const sections = [
  ...['defaults', 'gold', 'labels', 'proxies', 'ensembles', 'best_of_n', 'rl'],
] as const;

export interface OpenLabOptions {
  /** Replaces the lab's own folder. */
  output?: string | null;
  /** `keel best-of-n` as a stage: the command line has it. */
  bestOfN: JobVerb;
}

/**
 * Reads a lab and checks every option of every part.
 * @throws ConfigError with every problem found: `file:line:column`, what was expected and what was
 *   found
 */
export function openLab(path: string, { output = null, bestOfN }: OpenLabOptions): Lab {
  const file = readYamlFile(path, 'a lab, with "gold:" and "proxies:" in it');
  const problems: string[] = [];
  const pairs = new Map(file.pairs.map((pair) => [file.keyOf(pair), pair]));
  const given = { file, pairs, problems };
  const options = labOptions(given, path, output);
  const reward = stageVerbs.reward!.definition;
  const answers = bestOfN.definition;
  const method = methodOf(given);
  const gold = readSection(given, 'gold', goldDefinition, reward, setByLab.gold);
  const labels = readSection(given, 'labels', labelsDefinition, answers, setByLab.labels);
  const trained = readSection(given, 'proxies', proxiesDefinition, reward, setByLab.proxies);
  const combined = pairs.has('ensembles')
    ? readSection(given, 'ensembles', ensemblesDefinition, null, [])
    : null;
  const sampling = readSection(given, 'best_of_n', bestOfNDefinition, answers, setByLab.bestOfN);
  const rl = readSection(given, 'rl', rlDefinition, stageVerbs[method]!.definition, setByLab.rl);
  const defaults = readDefaults(given, method);
  // What follows needs every section.
  if (problems.length > 0) throw new ConfigError(problems);
  const proxies = proxiesOf(trained!.own);
  const ensembles = combined === null ? [] : ensemblesOf(combined, proxies, problems);
  const policies = rl!.written ? policiesOf(rl!, proxies, ensembles, problems) : [];
  const { own, entries, place } = gold!;
  if ((own.reward === null) === !entries.has('data')) {
    problems.push(
      `${place}: expected either reward:, or data: with the pairs that a gold reward model is trained on`,
    );
  }
  if (problems.length > 0) throw new ConfigError(problems);
  const recipe = join(options!.output, 'stages');
  const stages = labStages(
    {
      ...{ output: recipe, options: options!, defaults, bestOfN, proxies, ensembles, policies },
      ...{ gold: gold!, labels: labels!, trained: trained!, sampling: sampling!, rl: rl! },
    },
    problems,
  );
  if (problems.length > 0) throw new ConfigError([...new Set(problems)]);
  return {
    ...{ path, output: options!.output, options: options!, proxies, ensembles, policies },
    recipe: { path, text: file.text, output: recipe, stages },
    gold: own.reward ?? `a reward model, trained on ${listOf(entries.get('data')!)}`,
    answers: sampling!.own.answers,
    method: rl!.written ? rl!.own.verb : null,
  };
}

/** A file that is being read. */
export interface LabFile {
  file: YamlFile;
  /** Of the top level, by their keys. */
  pairs: ReadonlyMap<string, YamlPair>;
  problems: string[];
}

const listOf = ({ value }: YamlEntry): string => [value].flat().join(', ');

/** The options next to the sections; null if something is wrong. */
function labOptions(
  { file, pairs, problems }: LabFile,
  path: string,
  output: string | null,
): LabOptions | null {
  const { descriptors } = labDefinition;
  const own = [...pairs].filter(([key]) => !(sections as readonly string[]).includes(key));
  const known = own.filter(([key]) => descriptors.some(({ yamlKey }) => yamlKey === key));
  for (const [key, pair] of own) {
    if (known.some(([one]) => one === key)) continue;
    const names = [...descriptors.map(({ yamlKey }) => yamlKey), ...sections];
    problems.push(`${file.placeOf(pair.key)}: ${unknownName('key', key, names)}`);
  }
  const found = optionEntries(
    file,
    known.map(([, pair]) => pair),
    descriptors,
  );
  problems.push(...found.problems);
  if (output !== null || !found.entries.has('output')) {
    const usual = join('runs', basename(path).replace(/\.[^.]+$/, ''));
    found.entries.set('output', { value: output ?? usual, place: path });
  }
  return resolving(
    () => resolveEntries(labDefinition, { entries: found.entries, place: path }),
    problems,
  );
}

/** The method of `rl`, whose options the section has; the usual one if it is unclear. */
function methodOf({ file, pairs }: LabFile): string {
  const pair = pairs.get('rl');
  const own = pair && file.pairsIn(pair)?.find((one) => file.keyOf(one) === 'verb');
  const { written } = own === undefined ? { written: null } : file.writtenOf(own);
  const name = written?.kind === 'scalar' ? written.text : '';
  return (labMethods as readonly string[]).includes(name) ? name : 'ppo';
}

/** Options of every part that trains, by camelCase name. */
function readDefaults({ file, pairs, problems }: LabFile, method: string) {
  const verbs = ['reward', method].map((name) => stageVerbs[name]!.definition);
  const set = [...setByLab.gold, ...setByLab.proxies, ...setByLab.rl];
  const known = verbs
    .flatMap(({ descriptors }) => descriptors)
    .filter(({ name }) => name === 'lora' || !set.includes(name));
  const found = optionEntries(file, sectionPairs(file, pairs.get('defaults'), problems), known);
  problems.push(...found.problems);
  return found.entries;
}
