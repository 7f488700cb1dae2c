// Resumes a run with the command that it recorded, in a process that outlives this one.
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { methodVerbs, type RunRecord } from '@keel/align/runs';
import { startKeel } from '../../processes/start-keel.ts';
import { optionOf } from '../describing/config.ts';
import type { RunFiles } from '../describing/run-files.ts';
import type { RunSummary } from '../describing/summary.ts';
import type { FoundRun } from '../folders/find-runs.ts';
import { WatchError } from '../folders/watch-error.ts';

/** What the processes print that this program starts. */
export const OUTPUT = 'studio.log';

/** A command, and the folder in which its relative paths start. */
export interface ResumeCommand {
  words: string[];
  folder: string;
}

/** Verbs whose commands resume. */
const known = new Set([
  ...methodVerbs.map(({ name }) => name),
  ...['launch', 'align', 'compare', 'overoptimise'],
]);

/**
 * The words after `keel` that resume a run.
 * @throws WatchError saying why there are none
 */
export function resumeCommand(
  run: FoundRun,
  { state, parent }: Pick<RunSummary, 'state' | 'parent'>,
  files: RunFiles,
): ResumeCommand {
  const refuse = (why: string): WatchError => new WatchError('refused', `${run.id}: ${why}`);
  if (state === 'running') throw refuse('it is running');
  if (state === 'elsewhere') throw refuse('a process on another machine writes to it');
  if (state === 'finished') throw refuse('it is finished');
  if (parent !== null) throw refuse(`it is a stage. Resume ${parent} instead`);
  if (!['training', 'recipe', 'comparison', 'lab'].includes(run.kind)) {
    throw refuse('only trainings, recipes, comparisons and labs can be resumed from here');
  }
  const made = files.madeAt(run);
  if (made !== null && made !== run.path) {
    throw refuse(
      `it was copied or moved here from ${made}, which its command names. Move it back, or resume it from a terminal with another --output`,
    );
  }
  const record = files.record(run) ?? files.record({ path: join(run.path, 'stages') });
  const command = record === null ? commandOf(run, files) : recorded(record);
  if (command === null) {
    throw refuse(
      'its record names no command that resumes it: start it from the program that made it',
    );
  }
  if (!existsSync(command.folder)) {
    throw refuse(`it was started in ${command.folder}, which does not exist any more`);
  }
  const missing = missingData(run, command.folder, files);
  if (missing !== null) throw refuse(`its data ${missing} does not exist any more`);
  return command;
}

function recorded({ resume, folder }: RunRecord): ResumeCommand | null {
  return resume !== null && known.has(resume[0] ?? '') ? { words: resume, folder } : null;
}

/** Of a run that an older version trained: its paths start in this process's folder. */
function commandOf(run: FoundRun, files: RunFiles): ResumeCommand | null {
  const verb = files.config(run)?.verb ?? '';
  if (!known.has(verb)) return null;
  const config = join(run.path, 'config.yaml');
  return { words: [verb, '--config', config, '--resume'], folder: process.cwd() };
}

function missingData(run: FoundRun, folder: string, files: RunFiles): string | null {
  const config = files.config(run);
  const named = [optionOf(config, 'data'), optionOf(config, 'eval_data')].flat();
  const paths = named.filter((one): one is string => typeof one === 'string');
  // Other sources than files have a scheme.
  const ofFiles = paths.filter((path) => !/^[a-z]+:/.test(path));
  const missing = ofFiles.find((path) => !existsSync(isAbsolute(path) ? path : join(folder, path)));
  return missing ?? null;
}

/** Starts commands, one for each run. */
export class Resumes {
  readonly #keel: readonly string[] | null;
  readonly #started = new Map<string, ChildProcess>();

  /** @param keel the words that run Keel's command line; null: nothing can be resumed */
  constructor(keel: readonly string[] | null) {
    this.#keel = keel;
  }

  /**
   * Runs a command in its own session, with its output in the run's studio.log.
   * @throws WatchError if an earlier one still runs, or it cannot be started
   */
  start(run: FoundRun, { words, folder }: ResumeCommand): { pid: number } {
    if (this.#keel === null) {
      throw new WatchError('refused', 'this program was started without the means to resume runs');
    }
    if (this.stateOf(run)?.running) {
      throw new WatchError('refused', `${run.id}: it is being resumed`);
    }
    let child: ChildProcess;
    try {
      const output = join(run.path, OUTPUT);
      child = startKeel(words, { keel: this.#keel, folder, output });
    } catch (cause) {
      throw new WatchError('refused', `${run.id}: ${(cause as Error).message}`);
    }
    this.#started.set(run.id, child);
    return { pid: child.pid! };
  }

  /** Of the last start of a run in this program: whether it runs, or how it ended. */
  stateOf({ id, path }: FoundRun): { running: boolean; exitCode: number | null } | null {
    const child = this.#started.get(id);
    if (child === undefined || !existsSync(path)) return null;
    const { exitCode, signalCode } = child;
    return { running: exitCode === null && signalCode === null, exitCode };
  }
}
