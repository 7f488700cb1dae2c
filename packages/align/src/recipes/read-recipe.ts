// Reads a recipe's YAML file into stages with checked and complete options.
import { basename, join } from 'node:path';
// Not from the index, which loads LibTorch: help and schemas do not need it.
import { nameFault } from '@keel/model/safe-name';
import { snakeCase } from '../config/case.ts';
import { ConfigError } from '../config/config-error.ts';
import type { OptionDescriptor } from '../config/options.ts';
import { resolveEntries } from '../config/resolve-options.ts';
import { describeWritten, isNull } from '../config/written.ts';
import {
  entryOf,
  optionEntries,
  unknownKey,
  unknownName,
  type YamlEntry,
} from '../config/yaml-config.ts';
import { readYamlFile, type YamlFile, type YamlPair } from '../config/yaml-file.ts';
import type { JobVerb } from './job-verb.ts';
import { type Recipe, type RecipeStage, stageFolder } from './recipe.ts';
import { resolveReference, rowOptions, takingOptions } from './stage-references.ts';
import { type StageVerb, stageVerbs } from './stage-verbs.ts';

/** The keys of a recipe's file. */
export const recipeKeys = ['output', 'defaults', 'stages'] as const;

export interface ReadRecipeOptions {
  /** Replaces the recipe's own. */
  output?: string | null;
  /** Kinds of stages that train nothing, in addition to those that train. */
  jobs?: readonly JobVerb[];
}

/** A verb as a stage. */
type StageKind = { trains: StageVerb; job: null } | { trains: null; job: JobVerb };

/**
 * Reads a recipe and checks every option of every stage.
 * @throws ConfigError with every problem found: `file:line:column`, what was expected and what was
 *   found
 */
export function readRecipe(
  path: string,
  { output = null, jobs = [] }: ReadRecipeOptions = {},
): Recipe {
  const file = readYamlFile(path, 'a recipe, with "stages:" in it');
  const problems: string[] = [];
  const known = new Map<string, YamlPair>();
  for (const pair of file.pairs) {
    const key = file.keyOf(pair);
    if ((recipeKeys as readonly string[]).includes(key)) known.set(key, pair);
    else if (problems.length < 50) {
      problems.push(`${file.placeOf(pair.key)}: ${unknownName('key', key, recipeKeys)}`);
    }
  }
  const reading: Reading = {
    ...{ file, problems },
    kinds: new Map<string, StageKind>([
      ...Object.entries(stageVerbs).map(([name, trains]) => [name, { trains, job: null }] as const),
      ...jobs.map((job) => [job.name, { trains: null, job }] as const),
    ]),
    output: output ?? outputOf(path, file, known.get('output'), problems),
  };
  const stages = stagesOf(path, known.get('stages'), reading);
  const read = readStages(stages, defaultsOf(known.get('defaults'), stages, reading), reading);
  if (problems.length > 0) throw new ConfigError(problems);
  return { path, text: file.text, output: reading.output, stages: read };
}

interface Reading {
  file: YamlFile;
  problems: string[];
  /** Verbs by their names. */
  kinds: ReadonlyMap<string, StageKind>;
  output: string;
}

/** A stage as written in the file. */
interface WrittenStage {
  name: string;
  place: string;
  verb: string;
  kind: StageKind;
  pairs: YamlPair[];
}

function outputOf(
  path: string,
  file: YamlFile,
  pair: YamlPair | undefined,
  problems: string[],
): string {
  if (pair === undefined) return join('runs', basename(path).replace(/\.[^.]+$/, ''));
  const { written, place } = file.writtenOf(pair);
  if (written.kind === 'scalar' && written.text !== '' && !isNull(written)) return written.text;
  const found = describeWritten(written);
  problems.push(`${place}: output: expected a folder, for example runs/first, found ${found}`);
  return '';
}

/** The keys and values of a mapping; reports a problem if the value is not a mapping. */
function pairsOf({ file, problems }: Reading, pair: YamlPair, what: string): YamlPair[] {
  const pairs = file.pairsIn(pair);
  if (pairs !== null) return [...pairs];
  const { written, place } = file.writtenOf(pair);
  if (written.kind !== 'scalar' || !isNull(written)) {
    problems.push(`${place}: expected a mapping of ${what}, found ${describeWritten(written)}`);
  }
  return [];
}

function stagesOf(path: string, pair: YamlPair | undefined, reading: Reading): WrittenStage[] {
  const { file, problems } = reading;
  const pairs = pair === undefined ? [] : pairsOf(reading, pair, 'stages by their names');
  if (pairs.length === 0 && problems.length === 0) {
    const place = pair === undefined ? path : file.placeOf(pair.key);
    problems.push(`${place}: stages is required: the verbs to run with their options, by name`);
  }
  return pairs.flatMap((one) => writtenStage(one, reading) ?? []);
}

function writtenStage(pair: YamlPair, reading: Reading): WrittenStage | null {
  const { file, problems } = reading;
  const name = file.keyOf(pair);
  const place = file.placeOf(pair.key);
  if (!/^[a-z0-9][a-z0-9_-]*$/i.test(name) || nameFault(name) !== null) {
    problems.push(
      `${place}: "${name}" cannot be a stage's name, because it also names a folder. Use letters, digits, - and _`,
    );
    return null;
  }
  const all = pairsOf(reading, pair, `options of stage "${name}"`);
  const verbPair = all.find((one) => file.keyOf(one) === 'verb');
  const verb = verbPair === undefined ? name : textOf(file, verbPair);
  const kind = reading.kinds.get(verb);
  if (kind === undefined) {
    const known = [...reading.kinds.keys()];
    const complaint =
      verbPair === undefined
        ? `stage "${name}" needs a verb, because its name is not a verb. Add verb: ${known.join(', or ')}`
        : unknownName('verb', verb, known);
    problems.push(
      `${verbPair === undefined ? place : file.writtenOf(verbPair).place}: ${complaint}`,
    );
    return null;
  }
  const output = all.find((one) => file.keyOf(one) === 'output');
  if (output !== undefined) {
    problems.push(
      `${file.placeOf(output.key)}: a stage writes into the recipe's folder, here ${stageFolder(reading.output, name)}. Move output out of stages`,
    );
  }
  const pairs = all.filter((one) => one !== verbPair && one !== output);
  return { name, place, verb, kind, pairs };
}

function textOf(file: YamlFile, pair: YamlPair): string {
  const { written } = file.writtenOf(pair);
  return written.kind === 'scalar' ? written.text : describeWritten(written);
}

/**
 * Options for every stage that has them, by camelCase name; each stage's verb interprets the
 * values.
 */
function defaultsOf(
  pair: YamlPair | undefined,
  stages: readonly WrittenStage[],
  reading: Reading,
): Map<string, YamlPair> {
  const pairs = new Map<string, YamlPair>();
  if (pair === undefined) return pairs;
  const { file, problems } = reading;
  const known = stages.flatMap(({ kind }) => defaultDescriptors(kind));
  for (const one of pairsOf(reading, pair, 'options')) {
    const key = file.keyOf(one);
    const descriptor = known.find(({ yamlKey, flagOnly }) => yamlKey === key && !flagOnly);
    if (descriptor !== undefined) pairs.set(descriptor.name, one);
    else if (known.length > 0) problems.push(`${file.placeOf(one.key)}: ${unknownKey(key, known)}`);
  }
  return pairs;
}

const definitionOf = ({ trains, job }: StageKind) => (trains ?? job).definition;

/** The options that a stage may set: all but its output folder. */
const descriptorsOf = (kind: StageKind): OptionDescriptor[] =>
  definitionOf(kind).descriptors.filter(({ name }) => name !== 'output');

/** The options that defaults may set. */
const defaultDescriptors = (kind: StageKind): OptionDescriptor[] =>
  descriptorsOf(kind).filter(({ name }) => kind.job === null || kind.job.defaults.includes(name));

function readStages(
  written: readonly WrittenStage[],
  defaults: ReadonlyMap<string, YamlPair>,
  reading: Reading,
): RecipeStage[] {
  const all = written.map(({ name }) => name);
  const stages: RecipeStage[] = [];
  for (const stage of written) {
    const found = optionEntries(reading.file, stage.pairs, descriptorsOf(stage.kind));
    reading.problems.push(...found.problems);
    const entries = withDefaults(stage, found.entries, defaults, reading.file);
    const from = resolveReferences(stage, entries, { earlier: stages, all }, reading);
    const place = `${stage.place}: stage "${stage.name}"`;
    entries.set('output', { value: stageFolder(reading.output, stage.name), place });
    try {
      const { name, verb, kind } = stage;
      const own = { name, number: stages.length + 1, verb, from };
      const { trains, job } = kind;
      if (trains !== null) {
        const options = resolveEntries(trains.definition, { entries, place });
        stages.push({ ...own, kind: 'training', options });
      } else {
        const options = resolveEntries(job.definition, { entries, place });
        stages.push({ ...own, kind: 'job', options, job });
      }
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      reading.problems.push(...error.problems);
    }
  }
  return stages;
}

/** Applies a stage's own options over the defaults that its verb has. */
function withDefaults(
  { kind }: WrittenStage,
  own: ReadonlyMap<string, YamlEntry>,
  defaults: ReadonlyMap<string, YamlPair>,
  file: YamlFile,
): Map<string, YamlEntry> {
  const replaced = definitionOf(kind).exclusive.filter((group) =>
    group.some((name) => own.has(name)),
  );
  const entries = new Map<string, YamlEntry>();
  for (const [name, pair] of defaults) {
    const descriptor = defaultDescriptors(kind).find((one) => one.name === name);
    if (descriptor === undefined || replaced.flat().includes(name)) continue;
    entries.set(name, entryOf(file, pair, descriptor));
  }
  return new Map([...entries, ...own]);
}

/** Replaces stage names with paths. @returns the options that had them */
function resolveReferences(
  { name, kind }: WrittenStage,
  entries: Map<string, YamlEntry>,
  { earlier, all }: { earlier: readonly RecipeStage[]; all: readonly string[] },
  { output, problems }: Reading,
): Map<string, string[]> {
  const from = new Map<string, string[]>();
  const gives = kind.trains?.gives ?? null;
  const takes = { ...rowOptions(descriptorsOf(kind)), ...(kind.job?.takes ?? takingOptions) };
  const resolve = (option: string, value: unknown, place: string): unknown => {
    if (Array.isArray(value)) return value.map((one) => resolve(option, one, place));
    if (typeof value !== 'string') return value;
    const found = resolveReference(value, { option, gives, takes, output, earlier, all, name });
    if (found === null) return value;
    if (typeof found === 'string') {
      problems.push(`${place}: ${snakeCase(option)}: ${found}`);
      return value;
    }
    from.set(option, [...(from.get(option) ?? []), found.stage.name]);
    // An adapter uses its own base unless another is named.
    if (option === 'adapter' && !entries.has('model')) {
      const { model } = found.stage.options;
      const takesList = descriptorsOf(kind).some((one) => one.name === 'model' && one.list);
      entries.set('model', { value: takesList ? [model] : model, place });
      from.set('model', [...(found.stage.from.get('model') ?? [])]);
    }
    return found.value;
  };
  for (const [option, { value, place }] of [...entries]) {
    entries.set(option, { value: resolve(option, value, place), place });
  }
  return from;
}
