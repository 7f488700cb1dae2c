import { openModel } from '../open-model.ts';
import type { ScoreOptions } from '../options/score.ts';
import { compareAdapters } from '../scoring/compare-adapters.ts';
import { openAnswers } from '../scoring/open-answers.ts';
import { scoreAnswers } from '../scoring/score-answers.ts';
import { jsonScores, ScoreTable } from '../scoring/score-display.ts';
import { sayScorePlan } from '../scoring/score-plan.ts';
import { scoreWithReward } from '../scoring/score-with-reward.ts';
import { ScoredRows } from '../scoring/scored-rows.ts';
import { complain } from '../terminal.ts';

export async function run(options: ScoreOptions): Promise<number> {
  if (options.reward !== null) return scoreWithReward(options, options.reward);
  await using source = await openAnswers(options);
  if (source.badRowCount > 0) complain(`${source.badRowCount} bad rows are skipped`);
  if (options.adapters.length > 1) return await compareAdapters(source, options);
  const { model, role } = await openModel(options);
  const rows = new ScoredRows(source, model, options);
  const pairs = source.kind === 'preference';
  if (options.dryRun) {
    sayScorePlan(model, source, options);
    return 0;
  }
  const display = options.json ? jsonScores(pairs) : new ScoreTable(pairs);
  for await (const { start, rows: tokenised } of rows.chunks()) {
    const fitting = tokenised.filter((row) => row !== null && row !== undefined);
    const scores = scoreAnswers(model, role, fitting, options.batchTokens).values();
    tokenised.forEach((row, place) => {
      if (row === undefined) return;
      const scored = row === null ? null : scores.next().value!;
      display.row(start + place, scored, row?.labelProbability);
    });
  }
  display.end();
  for (const notice of rows.notices()) complain(notice);
  rows.refuseEmpty();
  return 0;
}
