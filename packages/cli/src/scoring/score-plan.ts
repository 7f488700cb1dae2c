import { modelFacts } from '@keel/align/internal';
import type { LanguageModel } from '@keel/model';
import type { ScoreOptions } from '../options/score.ts';
import { sayDryRun } from '../work-plan.ts';
import type { AnswerSource } from './open-answers.ts';

/** Prints what `keel score` computes without a reward, for --dry-run. */
export function sayScorePlan(
  model: LanguageModel,
  source: AnswerSource,
  { adapters, json }: ScoreOptions,
): void {
  const what = source.kind === 'preference' ? 'pairs' : 'answers';
  const parts = {
    adapter: { text: adapters.join(', ') || 'none', data: adapters },
    rows: { text: `${source.length} ${what}`, data: source.length },
    score: { text: 'log-probabilities', data: null },
  };
  sayDryRun({ verb: 'score', model: modelFacts(model), parts }, json);
}
