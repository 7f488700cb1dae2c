import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RewardFindings } from '../evaluation/reward-findings.ts';
import { writeFileAtomic } from '../files/atomic-write.ts';

/** Its name in the run folder of a reward model. */
export const REWARD_EVALUATION = 'reward-evaluation.json';

/** Writes what held-out pairs tell of a reward model into the run folder. */
export function saveRewardEvaluation(folder: string, findings: RewardFindings): void {
  writeFileAtomic(join(folder, REWARD_EVALUATION), `${JSON.stringify(findings, null, 2)}\n`);
}

/**
 * What `saveRewardEvaluation` wrote; null where there is none.
 * @throws Error naming the file where it is damaged
 */
export function readRewardEvaluation(folder: string): RewardFindings | null {
  const path = join(folder, REWARD_EVALUATION);
  if (!existsSync(path)) return null;
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as RewardFindings;
  } catch (cause) {
    throw new Error(`${path} is no JSON; remove it, the next evaluation writes it again`, {
      cause,
    });
  }
}
