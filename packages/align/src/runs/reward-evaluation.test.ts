import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rewardFindings } from '@keel/statistics';
import { afterAll, expect, test } from 'vitest';
import {
  REWARD_EVALUATION,
  readRewardEvaluation,
  saveRewardEvaluation,
} from './reward-evaluation.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-reward-evaluation-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('findings are read back; a missing file is null, and a damaged file is named', () => {
  expect(readRewardEvaluation(folder)).toBeNull();
  const findings = rewardFindings([
    { chosen: { score: 0.1, length: 7 }, rejected: { score: -0.2, length: 9 } },
    { chosen: { score: 0.3, length: 4 }, rejected: { score: 0.5, length: 2 } },
  ]);
  saveRewardEvaluation(folder, findings);
  expect(readRewardEvaluation(folder)).toEqual(findings);
  writeFileSync(join(folder, REWARD_EVALUATION), '{"pairs": 2');
  expect(() => readRewardEvaluation(folder)).toThrow(/reward-evaluation\.json .*JSON/);
});
