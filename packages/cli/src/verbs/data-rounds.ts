import { join } from 'node:path';
import { counted } from '@keel/align/checking';
import {
  Rounds,
  roundOptions,
  WatchedFolder,
  type WatchedRound,
  WatchedRounds,
} from '@keel/studio';
import { machineUser } from '../collecting/machine-user.ts';
import { openStore } from '../collecting/open-store.ts';
import { showTable } from '../collecting/show-table.ts';
import type { DataRoundsOptions } from '../options/data-rounds.ts';
import { shellWord } from '../shell-word.ts';
import { say, sayJson } from '../terminal.ts';

/** As on the Studio's page: few labels need more than one pass. */
const EPOCHS = 3;

export async function run(options: DataRoundsOptions): Promise<number> {
  const { project: name, start, stop, resume, json } = options;
  await using store = await openStore(options.database);
  const project = await store.project(name);
  const keel = [process.execPath, ...process.execArgv, process.argv[1]!];
  const folder = new WatchedFolder(options.runs, { keel });
  const rounds = new WatchedRounds(new Rounds({ store, runs: folder.path, keel }), folder);
  const by = machineUser();
  if (stop !== null) await rounds.stop(project, stop);
  if (resume !== null) await rounds.resume(project, name, resume, by);
  const started = start ? await rounds.start(project, name, chosenOf(options), by) : null;
  const found = await rounds.list(project);
  if (json) {
    sayJson({ rounds: found, started: started?.number ?? null });
    return 0;
  }
  show(found);
  if (stop !== null) say(`round ${stop} saves a checkpoint and ends`);
  if (resume !== null) say(`round ${resume} continues`);
  if (started !== null) {
    const { number, run } = started;
    const path = join(options.runs, run);
    say(`round ${number} runs in ${path}, and prints to ${path}.log`);
    say(
      `To watch it: npx keel studio --runs ${shellWord(options.runs)}. To stop it: npx keel data rounds --project ${shellWord(name)} --stop ${number}`,
    );
  }
  return 0;
}

function chosenOf({ method, model, epochs = EPOCHS, newTasks, samples }: DataRoundsOptions) {
  const given = Object.entries({ method, model, epochs, newTasks, samples });
  return roundOptions.parse(Object.fromEntries(given.filter(([, value]) => value !== undefined)));
}

function show(rounds: readonly WatchedRound[]): void {
  if (rounds.length > 0)
    showTable(
      [
        ['round', 'trains', 'state', 'started', 'pairs', 'held-out accuracy', 'new tasks'],
        ...rounds.map((round) => [
          String(round.number),
          round.options.method === 'none' ? 'reward' : `reward and ${round.options.method}`,
          stateOf(round),
          round.createdAt.slice(0, 16).replace('T', ' '),
          `${round.trainRows} + ${round.heldOutRows}`,
          accuracyOf(round),
          String(round.newTasks ?? '-'),
        ]),
      ],
      4,
    );
  for (const { number, message, log } of rounds) {
    const why = message ?? log.split('\n').at(-1)!;
    if (why !== '') say(`round ${number}: ${why}`);
  }
  say(counted(rounds.length, 'round'));
}

function stateOf({ state, step, total }: WatchedRound): string {
  if (state === 'interrupted') return 'stopped';
  return state === 'running' && total !== null ? `running, ${step ?? 0} of ${total} stages` : state;
}

function accuracyOf({ accuracy }: WatchedRound): string {
  if (accuracy === null) return '-';
  const percent = (share: number): string => `${(100 * share).toFixed(0)}%`;
  const [low, high] = accuracy.interval.map(percent);
  return `${percent(accuracy.value)} (${low} to ${high}) of ${accuracy.count}`;
}
