// Options of labelling by a judge, and what it reports while it runs.
import type { Proportion } from '@keel/statistics';
import type { RowReading } from '../config/row-options.ts';
import type { Judge } from '../judges/judge.ts';

/** What is labelled, by which judge. */
export interface LabelOptions extends RowReading {
  judge: Judge;
  data: readonly string[];
  onBadRow: 'fail' | 'skip';
  /** Use only so many pairs from the start, or prompts of `best-worst`; null: all (the default). */
  limit?: number | null;
  /** File of the principles; null: Keel's own. */
  constitution: string | null;
  /** Principles that are drawn for each pair; null: all of them. */
  principlesPerPair: number | null;
  /**
   * `drawn`: pairs are drawn of the answers to a prompt, and compared. `best-worst`: every answer
   * is rated, and the best one is paired with the worst one.
   */
  pairing: 'drawn' | 'best-worst';
  /** Pairs that are drawn of the answers to one prompt. */
  pairsPerPrompt: number;
  /** Of `best-worst`: the share of a prompt's range of ratings within which ratings are equal. */
  lengthGuard: number;
  /** Bounds of each verdict. */
  clamp: readonly [low: number, high: number];
  /** Rows that people labelled; they replace the judge's labels and are added to them. */
  human: readonly string[] | null;
  seed: number;
  /** File of the rows. */
  output: string;
  overwrite: boolean;
  /** Check everything, and ask and write nothing (default: false). */
  dryRun?: boolean;
}

/** What a labelling would ask. */
export interface LabelPlan {
  judge: string;
  /** Of `best-worst`: prompts, which become one pair at most. */
  pairs: number;
  /** Pairs that an earlier command has done. */
  done: number;
  /** For each pair; 0 for a judge that is not asked in words, and for one that rates. */
  principles: number;
  /** Verdicts or ratings that are asked for in all. */
  verdicts: number;
  /** Pairs that people labelled. */
  human: number;
}

/** How far a labelling is. */
export interface LabelProgress {
  /** Finished pairs out of `total`, including those of an earlier command. */
  pairs: number;
  total: number;
}

/** What a labelling reports, and how it is stopped. */
export interface LabelHooks {
  /** Called once, before the judge is asked. */
  onPlan?(plan: LabelPlan): void;
  onProgress?(progress: LabelProgress): void;
  onNotice?(text: string): void;
  /** Stops the job; finished pairs are saved, and the same command resumes from there. */
  signal?: AbortSignal;
}

/** What a labelling found. */
export interface LabelSummary {
  pairs: number;
  /** Prompts with fewer than two different answers. */
  single: number;
  /** Pairs without any verdict, and prompts with fewer than two rated answers. */
  unlabelled: number;
  /** Prompts whose answers all have the same rating. */
  tied: number;
  /** Verdicts that the judge did not give, by reason. */
  failed: Record<string, number>;
  /** Rows that were written. */
  rows: number;
  /** Those of them with an answer that was cut off: training refuses them. */
  cutOff: number;
  /**
   * Share of verdicts that did not change with the order of the answers; null if none was asked in
   * both orders.
   */
  ordersAgree: Proportion | null;
  /** Mean distance of the labels from a half, from 0 (undecided) to 1 (certain). */
  certainty: number | null;
  /** Share of pairs whose longer answer is the more probable one; ties count half. */
  longer: Proportion | null;
  /** Share of the judge's labels that agree with those of the data, where it has some. */
  given: Proportion | null;
  /** The same with people's labels, where both are decided. */
  human: Proportion | null;
  /** Mean ratings of all answers, of the chosen and of the rejected ones; null without ratings. */
  ratings: { all: number; chosen: number | null; rejected: number | null } | null;
  /** Mean characters of the more probable answers and of the others; null without labels. */
  length: { chosen: number; rejected: number } | null;
  /** Rows that people alone labelled. */
  humanOnly: number;
}

/** Where the labels are. */
export interface LabelResult {
  output: string;
  interrupted: boolean;
  /** Pairs that are done. */
  done: number;
  /** null if it was interrupted, or a dry run. */
  summary: LabelSummary | null;
}
