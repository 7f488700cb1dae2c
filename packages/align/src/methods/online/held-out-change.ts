// How an online run changed its answers to held-out prompts: compares its first evaluation with its
// last.
import { existsSync, readFileSync } from 'node:fs';
import { bootstrapMeanInterval, type Interval, pairedDifferenceInterval } from '@keel/statistics';
import { contentText } from '../../data/messages.ts';
import type { Comparison, Headline } from '../../runs/report/report-data.ts';
import { isJudged, type JudgedLine, type SampleLine } from '../../runs/samples-log.ts';

/** Lines of the same held-out prompts, in the same order. */
export interface HeldOutChange {
  before: readonly JudgedLine[];
  after: readonly JudgedLine[];
}

/**
 * Held-out answers from a run's samples.jsonl, before the first step and after the last evaluated
 * one.
 * @param until the step whose answers come after (default: the last evaluated one)
 * @returns null if there were fewer than two evaluations
 */
export function readHeldOutChange(path: string, until: number | null = null): HeldOutChange | null {
  const evaluations = readEvaluations(path, until);
  return evaluations.length < 2 ? null : changeOf(evaluations[0]!, evaluations.at(-1)!);
}

/**
 * The held-out answers of a run's samples.jsonl, one list for each evaluation, in order.
 * @param until the last step that counts (default: all)
 */
export function readEvaluations(path: string, until: number | null = null): JudgedLine[][] {
  if (!existsSync(path)) return [];
  const byStep = new Map<number, JudgedLine[]>();
  for (const text of readFileSync(path, 'utf8').split('\n').filter(Boolean)) {
    const line = JSON.parse(text) as SampleLine;
    if (line.held_out !== true || !isJudged(line) || line.step > (until ?? line.step)) continue;
    byStep.set(line.step, [...(byStep.get(line.step) ?? []), line]);
  }
  return [...byStep.values()];
}

/** The prompts that both evaluations have. */
export function changeOf(
  before: readonly JudgedLine[],
  after: readonly JudgedLine[],
): HeldOutChange {
  const byRow = new Map(after.map((line) => [line.row, line]));
  const both = before.filter(({ row }) => byRow.has(row));
  return { before: both, after: both.map(({ row }) => byRow.get(row)!) };
}

export interface RewardRise {
  before: number;
  after: number;
  difference: number;
  /** 95% interval of the difference, resampled by prompt. */
  interval: Interval;
}

/** The change of the mean reward, prompt by prompt. */
export function rewardRise({ before, after }: HeldOutChange): RewardRise {
  const [were, are] = [before, after].map((lines) => lines.map(({ reward }) => reward));
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [was, is] = [mean(were!), mean(are!)];
  return {
    before: was,
    after: is,
    difference: is - was,
    interval: pairedDifferenceInterval(were!, are!),
  };
}

/** The same change, as the first card of a report. */
export function rewardHeadline(change: HeldOutChange, label: string, reward?: string): Headline {
  const { before, after, interval } = rewardRise(change);
  const ends = (lines: readonly JudgedLine[]): Interval =>
    bootstrapMeanInterval(lines.map(({ reward }) => reward));
  return {
    label,
    unit: 'number',
    better: 'higher',
    before: { value: before, interval: ends(change.before) },
    after: { value: after, interval: ends(change.after) },
    difference: interval,
    note: `${change.before.length} held-out prompts, one sampled answer each${reward === undefined ? '' : `; reward ${reward}`}`,
  };
}

/** The first few prompts with their answers before and after, for a report. */
export const heldOutAnswers = ({ before, after }: HeldOutChange, most: number): Comparison[] =>
  before.slice(0, most).map(({ prompt, completion, reward }, at) => ({
    prompt: contentText(prompt),
    before: { text: completion, about: `reward ${reward.toFixed(2)}` },
    after: { text: after[at]!.completion, about: `reward ${after[at]!.reward.toFixed(2)}` },
  }));
