import { readFileSync } from 'node:fs';
import { ConfigError } from '@keel/align/config';
import { type Aspect, type ProjectSettings, readyAspects, type SettingsPatch } from '@keel/studio';
import { machineUser } from '../collecting/machine-user.ts';
import { openStore } from '../collecting/open-store.ts';
import type { DataSettingsOptions, GivenAspect } from '../options/data-settings.ts';
import { say, sayJson } from '../terminal.ts';
import { alignedLines } from '../training/run-plan-text.ts';

export async function run(options: DataSettingsOptions): Promise<number> {
  const { project: name, database, json, guidelines, config: _, ...given } = options;
  // Read first: where it is missing, nothing is changed.
  const text = guidelines === undefined ? null : readFileSync(guidelines, 'utf8');
  await using store = await openStore(database);
  const project = await store.project(name);
  const before = await store.settings(project);
  const { aspects, ...plain } = given;
  const patch = {
    ...plain,
    ...(aspects !== undefined && { aspects: aspects.map((one) => aspectFrom(one, before)) }),
  } as SettingsPatch;
  const by = machineUser();
  const settings = await saved(() => store.saveSettings(project, patch, by));
  if (text !== null) await store.saveGuidelines(project, text, by);
  const version = (await store.guidelines(project))?.version ?? null;
  if (json) {
    sayJson({ project: name, database: store.name, settings, guidelines: version });
    return 0;
  }
  const lines = Object.entries(textsOf(settings)).map(([label, value]): [string, string] => {
    const was = textsOf(before)[label]!;
    return [label, was === value ? value : `${value} (was ${was})`];
  });
  say(alignedLines([...lines, ['guidelines', version === null ? 'none' : `version ${version}`]]));
  say(`project ${name} in ${store.name}`);
  return 0;
}

/** @throws ConfigError for settings that the project cannot have */
async function saved(save: () => Promise<ProjectSettings>): Promise<ProjectSettings> {
  try {
    return await save();
  } catch (error) {
    if (error instanceof RangeError) throw new ConfigError([error.message]);
    throw error;
  }
}

/** What is not named stays as it is in the project, or is as in the Studio. */
function aspectFrom({ key, least, most, question }: GivenAspect, before: ProjectSettings): Aspect {
  const known =
    before.aspects.find((one) => one.key === key) ?? readyAspects.find((one) => one.key === key);
  const words = key.replaceAll('_', ' ');
  return {
    key,
    label: known?.label ?? `${words[0]!.toUpperCase()}${words.slice(1)}`,
    question: question ?? known?.question ?? '',
    least: least ?? known?.least ?? 1,
    most: most ?? known?.most ?? 5,
  };
}

const listed = (list: readonly string[]): string => list.join(', ') || 'none';
const yesNo = (is: boolean): string => (is ? 'yes' : 'no');

/** The settings by the names of their options. */
const textsOf = (settings: ProjectSettings): Record<string, string> => ({
  overlap: String(settings.overlap),
  order: settings.order,
  'random share': String(settings.randomShare),
  'gold share': String(settings.goldShare),
  'too fast': `below ${settings.tooFast} s`,
  aspects: listed(settings.aspects.map(({ key, least, most }) => `${key} (${least} to ${most})`)),
  strengths: listed(settings.strengths),
  tie: yesNo(settings.tie),
  'both bad': yesNo(settings.bothBad),
  ranking: settings.ranking,
  edits: yesNo(settings.edits),
  suggestions: yesNo(settings.suggestions),
});
