// Opens judges of any kind.

import type { Judge } from '../judge.ts';
import { panelJudge } from '../panel/panel-judge.ts';
import type { JudgeKinds, JudgeOptions } from './judge-kind.ts';
import { type JudgeSpec, membersOf, type PanelSpec, readJudge } from './read-judge-spec.ts';

/**
 * Opens a judge: a spec file, or the short form of a kind.
 * @param kinds those that can be opened; a panel of them can be, too
 * @param folder that paths in a short form are relative to
 * @throws ConfigError for an invalid spec; Error if a model or module is not available
 */
export async function openJudgeOf(
  kinds: JudgeKinds,
  text: string,
  options: JudgeOptions = {},
  folder = '.',
): Promise<Judge> {
  return openRead(kinds, readJudge(text, kinds, folder), options);
}

async function openRead(
  kinds: JudgeKinds,
  { spec, folder }: JudgeSpec,
  options: JudgeOptions,
): Promise<Judge> {
  if (spec.type === 'panel') return openPanel(kinds, spec as PanelSpec, folder, options);
  const judge = await kinds[spec.type]!.open(spec as never, folder, options);
  return options.wrap?.(judge) ?? judge;
}

/** @throws ConfigError for a panel in a panel; as `openJudgeOf`. Nothing stays open then */
async function openPanel(
  kinds: JudgeKinds,
  panel: PanelSpec,
  folder: string,
  options: JudgeOptions,
): Promise<Judge> {
  // All specs are checked before a model is loaded.
  const members = membersOf(panel, folder, kinds);
  const opened: { judge: Judge; weight: number }[] = [];
  try {
    for (const { weight, read } of members) {
      opened.push({ judge: await openRead(kinds, read, options), weight });
    }
    return panelJudge(opened, { name: panel.name, rule: panel.rule });
  } catch (error) {
    for (const { judge } of opened) await judge[Symbol.asyncDispose]();
    throw error;
  }
}
