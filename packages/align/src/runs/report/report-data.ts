import type { RewardFindings } from '../../evaluation/reward-findings.ts';
import type { MetricsRow } from '../metrics.ts';
import type { ScatterPlot } from './scatter-plot.ts';

/** What a report shows. Every section but the heading is left out where its data are. */
export interface ReportData {
  title: string;
  /** The run in one sentence: what was asked, and whether it came true. */
  summary: string;
  /** ISO 8601. */
  created?: string;
  headlines?: Headline[];
  /** Of a recipe: its runs, in order. */
  stages?: ReportedStage[];
  /** Of a recipe: what each result was made of. */
  lineage?: LineageEntry[];
  comparisons?: Comparisons;
  /** Runs side by side. */
  compared?: ComparedRuns;
  /** What held-out pairs tell of a reward model. */
  reward?: RewardFindings;
  /** Rows of metrics.jsonl, evaluation rows (names that begin with `eval_`) among them. */
  metrics?: MetricsRow[];
  samples?: Samples;
  ran?: WhatRan;
}

/** One number before and after training, as a card. */
export interface Headline {
  label: string;
  before: Estimate | null;
  after: Estimate;
  /** `share` is from 0 to 1 and shown in percent. */
  unit: 'share' | 'number';
  /** Which way is better; null where neither is. */
  better: 'higher' | 'lower' | null;
  /**
   * 95% interval of after less before, where both were measured on the same rows; it tells whether
   * there was a change.
   */
  difference?: readonly [low: number, high: number];
  /** What was measured and on what, for example `60 held-out pairs`. */
  note?: string;
}

export interface Estimate {
  value: number;
  /** Ends of the 95% interval. */
  interval?: readonly [low: number, high: number];
}

/** A run that is one of several. */
export interface ReportedStage {
  name: string;
  /** What it does and how it ended, in a few words each. */
  facts: string[];
  /** The run's own report, relative to this one; null where there is none. */
  report: string | null;
  headlines: Headline[];
  /** Of a stage that samples: its steps in order. */
  rewardCurve?: RewardPoint[];
}

/** A step of a run against a reward: means over its answers. */
export interface RewardPoint {
  step: number;
  /** To the reference, in nats an answer. */
  kl: number;
  reward: number;
}

/** A model, and what it was made of. */
export interface LineageEntry {
  /** Its folder, relative to the report. */
  name: string;
  /** What it is, for example `adapter`. */
  kind: string;
  sha256: string;
  madeOf: { label: string; name: string; sha256: string }[];
}

/** Runs that are compared: a row for each, the best first. */
export interface ComparedRuns {
  columns: { label: string; about: string }[];
  rows: {
    name: string;
    /** The reports of its runs, relative to this one. */
    reports: { label: string; path: string }[];
    /** One for each column. */
    cells: { text: string; note: string | null }[];
  }[];
  /** What can be said of the table. */
  findings: string[];
  plot: ScatterPlot;
  answers: { prompt: string; answers: { name: string; text: string; note: string }[] }[];
}

/** Prompts with the answer before and after, side by side. */
export interface Comparisons {
  /** Names of the two sides; `Before` and `After` unless told. */
  sides?: readonly [before: string, after: string];
  note?: string;
  rows: Comparison[];
}

export interface Comparison {
  prompt: string;
  before: Answer;
  after: Answer;
}

export interface Answer {
  text: string;
  /** What else is known of it, for example `reward 0.42`. */
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
  /** The behaviour and how it is told, in one sentence. */
  behaviour: string;
  rows: Comparison[];
}

export interface WhatRan {
  /** Model, data and their hashes, device, time, speed. */
  facts: { label: string; value: string }[];
  /** How to go on: chat, resume, TensorBoard. */
  commands?: { label: string; command: string }[];
  /** Text of config.yaml. */
  config?: string;
  /** What it is, where it is not config.yaml. */
  configName?: string;
}
