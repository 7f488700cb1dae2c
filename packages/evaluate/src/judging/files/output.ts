// The output folder of a command that asks a judge is of one judge.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '@keel/align/internal';
import type { Judge } from '@keel/align/judges';
import type { z } from 'zod';
import type { judgingModes, judgingSettingsFile } from '../../result-files/judging-file.ts';

/** What a folder's verdicts are: two answers compared, one rated, or compared with people. */
export type JudgingMode = (typeof judgingModes)[number];

const SETTINGS = 'judging.json';

type Settings = z.output<typeof judgingSettingsFile>;

/**
 * Records the judge of a folder, and how many rows it is asked about.
 * @param options.overwrite replaces what the folder has
 * @throws Error if the folder has the verdicts of another judge, or of another kind
 */
export function claimOutput(
  folder: string,
  mode: JudgingMode,
  { name, identity }: Pick<Judge, 'name' | 'identity'>,
  { rows, overwrite }: { rows: number; overwrite: boolean },
): void {
  const path = join(folder, SETTINGS);
  const now: Settings = { mode, judge: name, identity, rows };
  if (overwrite) rmSync(path, { force: true });
  const before = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Settings) : null;
  if (before !== null && (before.mode !== mode || before.identity !== identity)) {
    const what =
      before.mode !== mode
        ? `a ${before.mode}, and this is a ${mode}`
        : before.judge === name
          ? `the judge ${name} with other settings`
          : `the judge ${before.judge}, and this is ${name}`;
    throw new Error(
      `${folder} has the verdicts of ${what}. Choose another --output, or pass --overwrite to drop them`,
    );
  }
  writeFileAtomic(path, `${JSON.stringify(now, null, 2)}\n`);
}

/**
 * @param known verdicts of the folder, by key
 * @param keys of what is asked now
 * @throws Error if the folder's verdicts are all of other answers
 */
export function refuseOtherAnswers(
  folder: string,
  known: ReadonlyMap<string, unknown>,
  keys: readonly string[],
): void {
  if (known.size === 0 || keys.some((key) => known.has(key))) return;
  throw new Error(
    `${folder} has ${known.size} verdicts on other answers. Choose another --output, or pass --overwrite to drop them`,
  );
}
