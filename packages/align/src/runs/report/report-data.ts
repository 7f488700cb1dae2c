import type { RewardFindings } from '@keel/statistics';
import type { Health } from '../../health/monitor.ts';
import type { MetricsRow } from '../metrics.ts';
import type { Unit } from './format.ts';
import type { Markup } from './markup.ts';
import type { ScatterPlot } from './scatter-plot.ts';

/** What a report shows. Every section except the heading is omitted if it has no data. */
export interface ReportData {
  title: string;
  /** The run in one sentence: its goal and its outcome. */
  summary: string;
  /** ISO 8601. */
  created?: string;
  /** What is wrong with the run, and what was checked. */
  health?: Health;
  headlines?: Headline[];
  /** For a recipe: its runs, in order. */
  stages?: ReportedStage[];
  /** For a recipe: what each result was made from. */
  lineage?: LineageEntry[];
  comparisons?: Comparisons;
  /** Greedy answers to the same prompts at several times. */
  course?: AnswerCourse;
  /** Runs side by side. */
  compared?: ComparedRuns;
  /** Sections of packages above this one. */
  sections?: readonly Markup[];
  /** Their CSS. */
  styles?: readonly string[];
  /** What held-out pairs show about a reward model. */
  reward?: RewardFindings;
  /** Rows of metrics.jsonl, including evaluation rows (names that start with `eval_`). */
  metrics?: MetricsRow[];
  samples?: Samples;
  ran?: WhatRan;
}

/** One number before and after training, as a card. */
export interface Headline {
  label: string;
  before: Estimate | null;
  after: Estimate;
  /** `share` is from 0 to 1 and shown as a percentage. */
  unit: Unit;
  /** Which direction is better; null if neither is. */
  better: 'higher' | 'lower' | null;
  /**
   * 95% interval of the value after minus the value before, if both were measured on the same rows;
   * it decides whether there was a change.
   */
  difference?: readonly [low: number, high: number];
  /** A serious finding about the run: an improvement then does not count as one. */
  doubtful?: boolean;
  /** What was measured on which data, for example `60 held-out pairs`. */
  note?: string;
}

export interface Estimate {
  value: number;
  /** Ends of the 95% interval. */
  interval?: readonly [low: number, high: number];
}

/** One of several runs. */
export interface ReportedStage {
  name: string;
  /** What it does and how it ended, each in a few words. */
  facts: string[];
  /** The run's own report, relative to this one; null if it has none. */
  report: string | null;
  headlines: Headline[];
  /** Of a stage with a gate. */
  verdict?: { passed: boolean; reasons: readonly string[] };
  /** For a stage that samples: its steps in order. */
  rewardCurve?: RewardPoint[];
}

/** A step of a run with a reward: means over its answers. */
export interface RewardPoint {
  step: number;
  /** KL to the reference, in nats per answer. */
  kl: number;
  reward: number;
}

/** A model, and what it was made from. */
export interface LineageEntry {
  /** Its folder, relative to the report. */
  name: string;
  /** What it is, for example `adapter`. */
  kind: string;
  sha256: string;
  madeOf: { label: string; name: string; sha256: string }[];
}

/** Compared runs: one row each, the best first. */
export interface ComparedRuns {
  columns: { label: string; about: string }[];
  rows: {
    name: string;
    /** The reports of its runs, relative to this one. */
    reports: { label: string; path: string }[];
    /** One per column. */
    cells: { text: string; note: string | null }[];
  }[];
  /** Conclusions from the table, in sentences. */
  findings: string[];
  plot: ScatterPlot;
  answers: { prompt: string; answers: { name: string; text: string; note: string }[] }[];
}

/** Prompts with the answer before and after, side by side. */
export interface Comparisons {
  /** Names of the two sides (default: `Before` and `After`). */
  sides?: readonly [before: string, after: string];
  note?: string;
  rows: Comparison[];
}

export interface AnswerCourse {
  note: string;
  /** The times of the answers, in order: "Before", "After step 20". */
  times: string[];
  rows: {
    prompt: string;
    /** One for each time; null if there is none. */
    answers: ({ text: string; about: string } | null)[];
  }[];
}

export interface Comparison {
  prompt: string;
  before: Answer;
  after: Answer;
}

export interface Answer {
  text: string;
  /** Further information, for example `reward 0.42`. */
  about?: string;
  verdict?: Verdict;
}

/** Whether an answer shows the behaviour that was trained. */
export interface Verdict {
  passed: boolean;
  /** For example `3 sentences`. */
  reason?: string;
}

/** The answers on which the behaviour was measured. */
export interface Samples {
  /** The behaviour and how it is detected, in one sentence. */
  behaviour: string;
  rows: Comparison[];
}

export interface WhatRan {
  /** Model, data and their hashes, device, time, speed. */
  facts: { label: string; value: string }[];
  /** The next steps: chat, resume, TensorBoard. */
  commands?: { label: string; command: string }[];
  /** Text of config.yaml. */
  config?: string;
  /** The title of `config`, if it is not config.yaml. */
  configName?: string;
}
