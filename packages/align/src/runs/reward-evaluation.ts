import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RewardFindings } from '@keel/statistics';
import { writeFileAtomic } from '../files/atomic-write.ts';

/** The file's name in the run folder of a reward model. */
export const REWARD_EVALUATION = 'reward-evaluation.json';

/** Writes what held-out pairs show about a reward model to the run folder. */
export function saveRewardEvaluation(folder: string, findings: RewardFindings): void {
  writeFileAtomic(join(folder, REWARD_EVALUATION), `${JSON.stringify(findings, null, 2)}\n`);
}

/**
 * What `saveRewardEvaluation` wrote; null if it wrote nothing.
 * @throws Error naming the file if it is damaged
 */
export function readRewardEvaluation(folder: string): RewardFindings | null {
  const path = join(folder, REWARD_EVALUATION);
  if (!existsSync(path)) return null;
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as RewardFindings;
  } catch (cause) {
    throw new Error(`${path} is not valid JSON. Remove it: the next evaluation writes it again`, {
      cause,
    });
  }
}
