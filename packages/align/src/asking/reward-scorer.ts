// Pairs by the rewards of their answers: what an ensemble of reward models thinks.
import type { LoadModelOptions } from '@keel/model';
import { comparisonValue } from '@keel/statistics';
import { runResult } from '../config/run-result.ts';
import type { AnswerGroup } from '../feedback/read-label-pairs.ts';
import { RewardModel } from '../rewards/reward-model.ts';
import { UnscorableRowError } from '../rewards/reward-row.ts';
import type { Candidate } from './choose-comparisons.ts';
import type { PairScorer, ScoredPairs } from './scorer.ts';

/** What is wrong with an answer that a reward model cannot read. */
const UNREADABLE = 'answers that the reward model cannot read';

/**
 * @param folders of reward models: one, or adapters of one base
 * @throws CheckpointError, Error as `RewardModel.open`
 */
export async function openRewardScorer(
  folders: readonly string[],
  loading: Pick<LoadModelOptions, 'precision' | 'device'>,
  onNotice: (text: string) => void,
): Promise<PairScorer> {
  const model = await RewardModel.open(folders.map(runResult), {
    ...loading,
    emptyAnswers: 'score',
    onLost: (fields) =>
      onNotice(`the reward model's chat template leaves out ${fields.join(', ')} of answers`),
  });
  return {
    ...{ members: model.heads, unit: 'prompts', owner: "reward model's" },
    async score(groups, pairs, { signal, onProgress }) {
      const rewards: (number[] | null)[][] = [];
      for (const [done, group] of groups.entries()) {
        if (signal?.aborted) return null;
        onProgress?.({ done, total: groups.length });
        rewards.push(await scoresOf(model, group, signal));
      }
      onProgress?.({ done: groups.length, total: groups.length });
      return valuesOf(pairs, rewards, UNREADABLE);
    },
    [Symbol.asyncDispose]: async () => model[Symbol.dispose](),
  };
}

/**
 * What pairs of answers with rewards are worth.
 * @param rewards by prompt, then by answer: those of each member, in log-odds; null: not read
 */
export function valuesOf(
  pairs: readonly Candidate[],
  rewards: readonly (readonly (readonly number[] | null)[])[],
  fault: string,
): ScoredPairs {
  const values = pairs.map(({ prompt, answers }) => {
    const [one, other] = answers.map((at) => rewards[prompt]![at]!);
    if (one == null || other == null) return null;
    return comparisonValue(one.map((own, member) => own - other[member]!));
  });
  const unreadable = rewards.flat().filter((heads) => heads === null).length;
  return { values, faults: unreadable === 0 ? {} : { [fault]: unreadable } };
}

/** By answer, its rewards by head; null for an answer that cannot be read. */
async function scoresOf(
  model: RewardModel,
  { prompt, answers, rendering }: AnswerGroup,
  signal: AbortSignal | undefined,
): Promise<(number[] | null)[]> {
  const rows = answers.map((completion) => ({
    ...{ prompt, completion },
    ...(rendering && { rendering }),
  }));
  const readable = rows.filter((row) => {
    try {
      model.read([row]);
      return true;
    } catch (error) {
      if (error instanceof UnscorableRowError) return false;
      throw error;
    }
  });
  const scores = await model.scoreRows(readable, signal);
  const byRow = new Map(readable.map((row, at) => [row, scores[at]!.heads]));
  return rows.map((row) => byRow.get(row) ?? null);
}
