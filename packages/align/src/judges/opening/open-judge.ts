// Opens judges of any kind.

import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { ConfigError } from '../../config/config-error.ts';
import type { Judge } from '../judge.ts';
import { panelJudge } from '../panel/panel-judge.ts';
import type { JudgeKinds, JudgeOptions } from './judge-kind.ts';
import { type JudgeSpec, type PanelSpec, readJudge } from './read-judge-spec.ts';

/**
 * Opens a judge: a spec file, or the short form of a kind.
 * @param kinds those that can be opened; a panel of them can be, too
 * @throws ConfigError for an invalid spec; Error if a model or module is not available
 */
export async function openJudgeOf(
  kinds: JudgeKinds,
  text: string,
  options: JudgeOptions = {},
): Promise<Judge> {
  return openRead(kinds, readJudge(text, kinds), options);
}

async function openRead(
  kinds: JudgeKinds,
  { spec, folder }: JudgeSpec,
  options: JudgeOptions,
): Promise<Judge> {
  return spec.type === 'panel'
    ? openPanel(kinds, spec as PanelSpec, folder, options)
    : kinds[spec.type]!.open(spec as never, folder, options);
}

/** @throws ConfigError for a panel in a panel; as `openJudgeOf`. Nothing stays open then */
async function openPanel(
  kinds: JudgeKinds,
  { name, rule, judges }: PanelSpec,
  folder: string,
  options: JudgeOptions,
): Promise<Judge> {
  // All specs are checked before a model is loaded.
  const members = judges.map(({ weight, ...spec }) => ({
    weight,
    read: 'judge' in spec ? memberOf(spec.judge, folder, kinds) : { spec, folder },
  }));
  const opened: { judge: Judge; weight: number }[] = [];
  try {
    for (const { weight, read } of members) {
      opened.push({ judge: await openRead(kinds, read, options), weight });
    }
    return panelJudge(opened, { name, rule });
  } catch (error) {
    for (const { judge } of opened) await judge[Symbol.asyncDispose]();
    throw error;
  }
}

function memberOf(text: string, folder: string, kinds: JudgeKinds): JudgeSpec {
  const beside = join(folder, text);
  const found = !isAbsolute(text) && existsSync(beside) ? beside : text;
  const read = readJudge(found, kinds, folder);
  if (read.spec.type !== 'panel') return read;
  throw new ConfigError([
    `${text}: is a panel, and a panel cannot contain another one. List its members`,
  ]);
}
