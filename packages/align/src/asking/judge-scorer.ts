// Pairs by what judges say of them: several judges, or several passes of one.
import { judgedComparisonValue } from '@keel/statistics';
import { labelPair } from '../feedback/label-pair.ts';
import { pairOf } from '../feedback/read-label-pairs.ts';
import type { Judge } from '../judges/judge.ts';
import type { PairScorer } from './scorer.ts';

/** A judge is asked with its own instructions. */
const principles = [{ id: 'judge', preference: '' }];

/**
 * Each judge is a member; its verdict is averaged over both orders of the answers.
 * @param judges disposed of with the scorer; several passes of one are several judges
 * @throws Error for a judge that cannot compare
 */
export function openJudgeScorer(judges: readonly Judge[]): PairScorer {
  for (const { name, compare } of judges)
    if (compare === undefined)
      throw new Error(`${name} rates single answers, but a judge of pairs compares two`);
  const chunk = Math.max(1, ...judges.map(({ concurrency }) => concurrency));
  return {
    ...{ members: judges.length, unit: 'pairs', owner: "judges'" },
    async score(groups, pairs, { signal, onProgress }) {
      const faults: Record<string, number> = {};
      const chancesOf = async ({ prompt, answers }: (typeof pairs)[number]) => {
        const { row: _, given: __, reasons: ___, ...pair } = pairOf(groups[prompt]!, answers);
        const labels = await Promise.all(
          judges.map((judge) => labelPair(judge, pair, { principles, clamp: [0, 1], signal })),
        );
        for (const { failed } of labels)
          for (const [why, count] of Object.entries(failed))
            faults[why] = (faults[why] ?? 0) + count;
        return labels.flatMap(({ probability }) => probability ?? []);
      };
      const found: number[][] = [];
      while (found.length < pairs.length) {
        if (signal?.aborted) return null;
        onProgress?.({ done: found.length, total: pairs.length });
        const part = pairs.slice(found.length, found.length + chunk);
        const settled = await Promise.allSettled(part.map(chancesOf));
        if (signal?.aborted) return null;
        for (const one of settled) {
          if (one.status === 'rejected') throw one.reason;
          found.push(one.value);
        }
      }
      onProgress?.({ done: pairs.length, total: pairs.length });
      // A verdict that is missing is no agreement of the others.
      const values = found.map((chances) =>
        chances.length < judges.length ? null : judgedComparisonValue(chances),
      );
      return { values, faults };
    },
    async [Symbol.asyncDispose]() {
      for (const judge of judges) await judge[Symbol.asyncDispose]();
    },
  };
}
