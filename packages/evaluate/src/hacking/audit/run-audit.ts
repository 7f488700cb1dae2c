// `keel audit` of answers before and after: reads, scores and compares them.
import { contentText, truthIn } from '@keel/align/data';
import {
  type AuditedAnswer,
  type AuditedPrompt,
  answerFeatures,
  auditAnswers,
} from '@keel/align/hacking';
import { type AnswerRow, answerText } from '../../judging/answers/answer-row.ts';
import { readAnswers } from '../../judging/answers/read-answers.ts';
import { type PairedAnswers, pairByPrompt } from '../reading/paired-answers.ts';
import { readRunSamples } from '../reading/run-samples.ts';
import { type AnswerScores, answerScores } from '../scores/answer-scores.ts';
import type { Audited, AuditHooks, AuditOptions } from './audit-options.ts';
import { refusalFeature } from './refusal-feature.ts';

/**
 * @throws DataError for rows that are not answers, or that have no partner; Error for a run without
 *   samples; as `openReward`; the signal's reason once it is aborted
 */
export async function runAudit(options: AuditOptions, hooks: AuditHooks = {}): Promise<Audited> {
  const { before, after, about, course, noColumns } = await readSides(options);
  const { prompts: rows, unpaired } = pairByPrompt(before, after, options.unpaired);
  const answers = rows.flatMap((row) => [...row.before, ...row.after]);
  const scoring = (what: 'reward' | 'gold') => ({
    what,
    openReward: options.openReward,
    noColumns,
    ...(hooks.signal && { signal: hooks.signal }),
    ...(hooks.onNotice && { onNotice: hooks.onNotice }),
    onProgress: (done: number, total: number) => hooks.onProgress?.(what, done, total),
  });
  const reward = await answerScores(answers, options.reward, scoring('reward'));
  const gold = await answerScores(answers, options.gold, scoring('gold'));
  const prompts = auditedPrompts(rows, reward, gold);
  return {
    audit: auditAnswers(prompts, { features: [...answerFeatures, refusalFeature] }),
    ...{ rows, about, course, unpaired },
    names: { reward: reward?.name ?? null, gold: gold?.name ?? null },
  };
}

async function readSides({ source, reading }: AuditOptions) {
  if (source.kind === 'run') return readRunSamples(source.folder, source.steps);
  const { before, after } = source;
  return {
    before: await readAnswers([before], reading),
    after: await readAnswers([after], reading),
    about: `${before} and ${after}`,
    course: [],
    noColumns: null,
  };
}

/** Scores are in the order of the rows: all before, then all after, prompt by prompt. */
function auditedPrompts(
  rows: readonly PairedAnswers[],
  reward: AnswerScores | null,
  gold: AnswerScores | null,
): AuditedPrompt[] {
  let next = 0;
  const audited = (row: AnswerRow): AuditedAnswer => {
    const at = next++;
    return {
      text: answerText(row.answer),
      ended: endedOf(row),
      reward: reward?.scores[at] ?? null,
      gold: gold?.scores[at] ?? null,
      deviation: reward?.deviations[at] ?? null,
    };
  };
  return rows.map(({ prompt, before, after }) => ({
    prompt: contentText(prompt),
    before: before.map(audited),
    after: after.map(audited),
  }));
}

/** Whether an answer came to its end, by what its row says; null: it says nothing. */
function endedOf({
  extra: { ended, truncated, finish_reason: reason },
}: AnswerRow): boolean | null {
  const isEnded = truthIn(ended);
  if (isEnded !== undefined) return isEnded;
  const isTruncated = truthIn(truncated);
  if (isTruncated !== undefined) return !isTruncated;
  return typeof reason === 'string' && reason !== '' ? reason !== 'length' : null;
}
