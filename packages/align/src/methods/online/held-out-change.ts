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
  if (!existsSync(path)) return null;
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  const heldOut = lines
    .map((line) => JSON.parse(line) as SampleLine)
    .filter(isJudged)
    .filter(({ held_out, step }) => held_out && step <= (until ?? step));
  const first = heldOut[0]?.step;
  const last = heldOut.at(-1)?.step;
  if (first === undefined || last === undefined || first === last) return null;
  const byRow = new Map(heldOut.filter(({ step }) => step === last).map((one) => [one.row, one]));
  const before = heldOut.filter(({ step, row }) => step === first && byRow.has(row));
  return { before, after: before.map(({ row }) => byRow.get(row)!) };
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
