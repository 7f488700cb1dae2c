// Where sampled answers are read from, and the numbers that they are filtered and sorted by.
import type { SampleLine } from '@keel/align/runs';

/** A sample with its place; what its trainer does not record is null. */
export interface Sample extends Omit<SampleLine, 'tokens' | 'ended'> {
  /** Its number, from 1: of samples.jsonl, its line. */
  line: number;
  tokens: number | null;
  ended: boolean | null;
}

/** The numbers of a sample, without its texts. */
export interface SampleEntry {
  line: number;
  step: number;
  /** The same for samples of the same prompt, and for others only if the prompt is held out. */
  row: number;
  heldOut: boolean;
  reward: number | null;
  gold: number | null;
  kl: number | null;
  tokens: number | null;
}

/** Samples of a run, which another process may be writing. */
export interface SampleSource {
  /** All samples in order. */
  readonly entries: readonly SampleEntry[];
  /** Changes with the samples. */
  readonly version: number;
  /** Damage of the files, a sentence each. */
  readonly faults: readonly string[];
  /** Reads what was added. */
  update(): Promise<void>;
  /** Samples with their texts; those that are gone since the last update are left out. */
  read(entries: readonly SampleEntry[]): Promise<Sample[]>;
}

/** A number; null for none and for what is not finite. */
export const finiteOrNull = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;
