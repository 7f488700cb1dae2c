// Rounds with the state of their runs: what a page and a command show of them, and do.
import type { RunState } from '../watching/describing/summary.ts';
import type { WatchedFolder } from '../watching/watched-folder.ts';
import type { RoundOptions } from './round-options.ts';
import type { Round, Rounds } from './rounds.ts';

/** A round and how far it is. */
export interface WatchedRound extends Round {
  /** `starting`: its process runs and has no run yet. `not started`: it ended before that. */
  state: RunState | 'starting' | 'not started';
  /** Finished stages, and all of them; null: nothing says. */
  step: number | null;
  total: number | null;
  /** Of a failed run: its error. */
  message: string | null;
  /** Of a round that is not started, the end of what its process printed; otherwise empty. */
  log: string;
}

/** What cannot be done with rounds in their present state; `code` is for programs. */
export class RoundError extends Error {
  override readonly name = 'RoundError';
  readonly code: 'unknown' | 'running' | 'has-run' | 'no-run';

  constructor(code: RoundError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** Rounds of a store, whose runs are in a folder. */
export class WatchedRounds {
  readonly #rounds: Rounds;
  readonly #runs: WatchedFolder;

  /** @param runs the folder of runs of `rounds` */
  constructor(rounds: Rounds, runs: WatchedFolder) {
    this.#rounds = rounds;
    this.#runs = runs;
  }

  /** Rounds of a project, the first one first. Adds the tasks that finished ones ask for. */
  async list(project: string): Promise<WatchedRound[]> {
    await this.#rounds.collect(project);
    const runs = new Map(this.#runs.list().runs.map((run) => [run.id, run]));
    return (await this.#rounds.list(project)).map((round) => {
      const run = runs.get(round.run);
      const { step = null, total = null, message = null } = run ?? {};
      const isStarting = run === undefined && this.#rounds.isProcessAlive(round);
      // A program that was killed left it behind, or the machine was restarted.
      const state = run?.state ?? (isStarting ? 'starting' : 'not started');
      const log = state === 'not started' ? this.#rounds.log(round) : '';
      return { ...round, state, step, total, message, log };
    });
  }

  /**
   * Starts a round on the labels of a project so far. It outlives this process.
   * @param by who starts it, for the log of actions; so in the methods below
   * @throws RoundError while another round of the project runs
   * @throws RangeError if there are too few labels
   */
  async start(
    project: string,
    name: string,
    options: RoundOptions,
    by: string | null,
  ): Promise<Round> {
    refuseWhileRunning(await this.list(project));
    return this.#rounds.start(project, name, options, by);
  }

  /**
   * Starts the process of a round again that ended before it made a run.
   * @throws RoundError for an unknown round and one that has a run, and while another one runs
   */
  async startAgain(
    project: string,
    name: string,
    number: number,
    by: string | null,
  ): Promise<void> {
    const rounds = await this.list(project);
    refuseWhileRunning(rounds);
    if (numbered(rounds, number).state !== 'not started') {
      throw new RoundError(
        'has-run',
        `Round ${number} has a run already. Resume that on its page, or start another round`,
      );
    }
    await this.#rounds.startAgain(project, name, number, by);
  }

  /**
   * Resumes a round that was stopped or failed, or starts one again that made no run.
   * @throws RoundError for an unknown round, and while another one runs
   * @throws WatchError saying why it cannot be resumed
   */
  async resume(project: string, name: string, number: number, by: string | null): Promise<void> {
    const rounds = await this.list(project);
    const { state, run } = numbered(rounds, number);
    refuseWhileRunning(rounds);
    if (state === 'not started') await this.#rounds.startAgain(project, name, number, by);
    else this.#runs.demand().resume(run);
  }

  /**
   * Asks a round to save a checkpoint and end.
   * @throws RoundError for an unknown round, and one whose run has not begun
   * @throws WatchError saying why it cannot be stopped
   */
  async stop(project: string, number: number): Promise<void> {
    const { state, run } = numbered(await this.list(project), number);
    if (state === 'starting')
      throw new RoundError('no-run', `Round ${number} is just starting. Try again in some seconds`);
    if (state === 'not started') throw new RoundError('no-run', `Round ${number} is not running`);
    this.#runs.demand().stop(run);
  }
}

function numbered(rounds: readonly WatchedRound[], number: number): WatchedRound {
  const found = rounds.find((round) => round.number === number);
  if (found !== undefined) return found;
  const known = rounds.length === 0 ? 'none' : rounds.map((round) => round.number).join(', ');
  throw new RoundError('unknown', `There is no round ${number}. Rounds of this project: ${known}`);
}

function refuseWhileRunning(rounds: readonly WatchedRound[]): void {
  const running = rounds.find(({ state }) => state === 'running' || state === 'starting');
  if (running === undefined) return;
  throw new RoundError(
    'running',
    `Round ${running.number} is still running. Wait for it, or stop its run`,
  );
}
