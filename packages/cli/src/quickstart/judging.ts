// A judge's verdicts on the answers before and after, and how right that judge is.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type JudgingSummary, openJudge, runComparison } from '@keel/evaluate';
import { makeFolder } from '@keel/model';
import type { JudgedAnswer, Question } from './measure.ts';

export interface AnsweredQuestions {
  questions: readonly Question[];
  before: readonly JudgedAnswer[];
  after: readonly JudgedAnswer[];
}

export interface JudgingParts {
  /** A trained reward model. */
  reward: string;
  /** Preference rows that it was not trained on. */
  labels: string;
  /** Folder of answers, verdicts and their report. */
  output: string;
  notice(text: string): void;
}

/** @throws Error if the judge cannot be opened */
export async function judgeAnswers(
  { questions, before, after }: AnsweredQuestions,
  { reward, labels, output, notice }: JudgingParts,
): Promise<JudgingSummary> {
  makeFolder(output);
  const files = [before, after].map((answers, side) => {
    const rows = questions.map(({ prompt, kind }, index) => ({
      prompt: [{ role: 'user', content: prompt }],
      completion: [{ role: 'assistant', content: answers[index]!.text }],
      category: kind,
    }));
    const path = join(output, side === 0 ? 'before.jsonl' : 'after.jsonl');
    writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    return path;
  }) as [string, string];
  const { summary } = await runComparison(
    {
      ...{ output, overwrite: false, limit: null, retryFailed: false, dryRun: false },
      ...{ reading: {}, names: null, unpaired: 'fail', emptyLoses: true },
      source: { kind: 'answers', files },
      check: { files: [labels], reading: {} },
      openJudge: () => openJudge(`reward:${reward}`),
    },
    { onNotice: notice },
  );
  return summary!;
}
