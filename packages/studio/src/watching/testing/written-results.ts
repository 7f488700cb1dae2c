// Results as the commands write them, for tests of what is read and shown.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Audited,
  attackReward,
  runAudit,
  writeAttackFiles,
  writeAuditFiles,
} from '@keel/evaluate/auditing';
import { type LabResults, writeWorldResults } from '@keel/evaluate/over-optimisation';
import { rateBattles, readBattles, writeRatingFiles } from '@keel/evaluate/rating';
import { lines } from './run-folders.ts';

const command = 'npx keel';

/** 40 battles of two models, of which the first wins 26, in a folder of a root. */
export async function writeRatings(root: string, name: string): Promise<void> {
  const path = join(root, 'battles.jsonl');
  const battle = (at: number, winner: string) => ({
    ...{ prompt: `p ${at}`, model_a: 'x', model_b: 'y', winner, kind: at % 2 ? 'odd' : 'even' },
  });
  const rows = Array.from({ length: 40 }, (_, at) => battle(at, at % 3 ? 'model_a' : 'model_b'));
  writeFileSync(path, lines(rows));
  const read = await readBattles({
    ...{ files: [path], columns: null, onBadRow: 'fail', only: [], exclude: [], by: 'kind' },
    ...{ cluster: 'prompt', styleControl: false },
  });
  const options = {
    ...{ anchor: null, intervals: 'sandwich' as const, resamples: 100, seed: 1 },
    ...{ balancePairs: null, prior: null, elo: 4, next: 1 },
  };
  const results = rateBattles(read, options);
  writeRatingFiles(join(root, name), { read, options, results }, command);
}

/** An audit of 40 prompts whose answers became longer, which pays. */
export async function writeAudit(root: string, name: string): Promise<Audited> {
  const row = (at: number, words: number) => ({
    prompt: `Question ${at}?`,
    completion: 'word '.repeat(words + (at % 5)),
    ...{ reward: words + (at % 5), gold: (at * 7) % 5 },
  });
  for (const [side, words] of [
    ['before', 5],
    ['after', 20],
  ] as const) {
    const rows = Array.from({ length: 40 }, (_, at) => row(at, words + (words > 5 ? at % 7 : 0)));
    writeFileSync(join(root, `${side}.jsonl`), lines(rows));
  }
  const audited = await runAudit({
    source: { kind: 'files', before: join(root, 'before.jsonl'), after: join(root, 'after.jsonl') },
    ...{ reward: null, gold: null, reading: {}, unpaired: 'fail' },
    openReward: () => Promise.reject(new Error('no reward is opened')),
  });
  writeAuditFiles(join(root, name), audited, command);
  return audited;
}

/** Attacks on a reward for length. */
export async function writeAttacks(root: string, name: string): Promise<void> {
  const rows = Array.from({ length: 12 }, (_, at) => ({
    ...{ place: `rows:${at}`, prompt: `What is ${at}?`, answer: `It is ${at}.`, extra: {} },
  }));
  const reward = {
    name: 'length',
    score: async (inputs: readonly { completion: unknown }[]) =>
      inputs.map(({ completion }) => ({ score: String(completion).length })),
  };
  writeAttackFiles(join(root, name), await attackReward(reward, rows), command);
}

/** A lab in which all answers are known. */
export function writeLab(root: string, name: string): LabResults {
  const world = [
    { probabilities: [0.5, 0.3, 0.2], gold: [0, 1, -2], proxies: { flattery: [0, 1, 3] } },
    { probabilities: [0.25, 0.25, 0.5], gold: [1, 0, 2], proxies: { flattery: [2, 0.5, 0.5] } },
  ];
  const path = join(root, 'world.yaml');
  writeFileSync(path, JSON.stringify({ world, best_of_n: [4, 1, 2], betas: [0.5, 2] }));
  return writeWorldResults(path, join(root, name));
}
