// A whole run of `keel dpo` on rankings, from options to final/.

import type { DataRows } from '../../data/derived-rows.ts';
import type { RefuseRow } from '../../data/open-rows.ts';
import type { JudgedRow } from '../../data/rows.ts';
import type { RankedObjective } from '../../objectives/ranked.ts';
import { openReference } from '../../reference/open-reference.ts';
import { referenceFact } from '../../reference/reference-fact.ts';
import type { TrainingKind } from '../../training/run-training.ts';
import { betaSchedulesOf, courseOf } from '../pairs/beta-course.ts';
import { type DpoOptions, defineDpoOptions } from '../pairs/dpo-options.ts';
import { refuseSoftLabel } from '../pairs/fitting-rows.ts';
import { objectiveFact } from '../pairs/objective-fact.ts';
import { RankingSource, rankingPacking } from './ranking-source.ts';
import { RankingTask, rankingScoring } from './ranking-task.ts';

type Kind = TrainingKind<DpoOptions, 'judged', RankingSource>;

export const onRankings = (objective: RankedObjective): Kind => ({
  definition: defineDpoOptions(),
  rowKind: 'judged',
  refuse: refuseUnranked(objective),
  source: (rows, tokenizer, how) => new RankingSource(rows, tokenizer, how),
  schedules: (options) => betaSchedulesOf(options, options.beta!),
  facts: ({ options, policy }) => [
    objectiveFact(objective, options.beta),
    referenceFact(options, policy.parameters),
  ],
  async task(run) {
    const { options, policy, data, source, evaluation, passes } = run;
    const most = Math.max(
      await mostAnswers(data.rows),
      data.heldOut === null ? 0 : await mostAnswers(data.heldOut),
    );
    const beta = options.beta!;
    const { model, role } = policy;
    return new RankingTask({
      ...{ model, role, source, evaluation, objective, beta, ...passes },
      betaAt: courseOf(options, beta, source.usable),
      batchSize: options.batchSize,
      reference: await openReference(run, {
        packing: rankingPacking,
        scoring: rankingScoring(most),
        key: { width: most },
      }),
    });
  },
  headlines: [
    {
      label: 'Held-out accuracy over the pairs of rankings',
      metric: 'eval_rewards/accuracies',
      count: 'eval_rewards/pairs',
      unit: 'share',
      better: 'higher',
    },
    {
      label: 'Held-out rankings whose best answer comes first',
      metric: 'eval_rewards/best_first',
      unit: 'share',
      better: 'higher',
    },
    { label: 'Held-out loss', metric: 'eval_loss', unit: 'number', better: 'lower' },
  ],
});

async function mostAnswers(rows: DataRows<'judged'>): Promise<number> {
  let most = 2;
  for await (const row of rows.iterate()) {
    if ('ranks' in row) most = Math.max(most, row.ranks.length);
  }
  return most;
}

const refuseUnranked =
  ({ name }: RankedObjective): RefuseRow<JudgedRow> =>
  (row) => {
    if (!('labels' in row)) return 'ranks' in row ? null : refuseSoftLabel([{ name }])(row);
    return {
      field: 'labels',
      expected: 'a ranking of answers, or a pair',
      found: 'the steps of one answer',
      advice: 'Use such rows with keel reward',
    };
  };
