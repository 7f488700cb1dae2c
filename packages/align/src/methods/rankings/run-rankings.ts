// A whole run of `keel dpo` on rankings, from options to final/.

import type { DataRows } from '../../data/derived-rows.ts';
import type { RefuseRow } from '../../data/open-rows.ts';
import type { JudgedRow } from '../../data/rows.ts';
import { DEFAULT_BETA } from '../../objectives/mixture.ts';
import type { RankedObjective } from '../../objectives/ranked.ts';
import { openScores } from '../../reference/dpo-reference.ts';
import type { TrainingKind } from '../../training/run-training.ts';
import { betaSchedulesOf, courseOf } from '../pairs/beta-course.ts';
import { type DpoOptions, defineDpoOptions } from '../pairs/dpo-options.ts';
import { RankingSource, rankingPacking } from './ranking-source.ts';
import { RankingReference, RankingTask } from './ranking-task.ts';

type Kind = TrainingKind<DpoOptions, 'judged', RankingSource>;

export const onRankings = (objective: RankedObjective): Kind => ({
  definition: defineDpoOptions(),
  rowKind: 'judged',
  refuse: refuseUnranked,
  source: (rows, tokenizer, how) => new RankingSource(rows, tokenizer, how),
  schedules: (options) => betaSchedulesOf(options, options.beta ?? DEFAULT_BETA),
  async task({ options, policy, data, source, evaluation, passes, addInput, notice, signal }) {
    const width = Math.max(
      await mostAnswers(data.rows),
      data.heldOut === null ? 0 : await mostAnswers(data.heldOut),
    );
    const { batchSize } = options;
    const beta = options.beta ?? DEFAULT_BETA;
    const packing = rankingPacking;
    const references = await openScores(
      policy,
      options,
      { source, packing, rows: data.rows, heldOut: false },
      evaluation && { source: evaluation, packing, rows: data.heldOut!, heldOut: true },
      { batchSize, limit: passes.limit, signal },
      notice,
      {
        make: (model, rows, own) => new RankingReference(model, { rows, width }, own),
        key: { width },
      },
    );
    if (references.hash !== null) {
      await addInput('--reference', [{ name: options.reference, sha256: references.hash }]);
    }
    return new RankingTask({
      ...{ model: policy.model, role: policy.role, source, evaluation, objective, batchSize },
      beta,
      betaAt: courseOf(options, beta, source.usable),
      ...passes,
      reference: references.training,
      evaluationReference: references.evaluation,
    });
  },
  headlines: [
    {
      label: 'Held-out accuracy over the pairs of rankings',
      metric: 'eval_rewards/accuracies',
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

const refuseUnranked: RefuseRow<JudgedRow> = (row) =>
  'labels' in row
    ? {
        field: 'labels',
        expected: 'a ranking of answers, or a pair',
        found: 'the steps of one answer',
        advice: 'Such rows are for keel reward',
      }
    : null;
