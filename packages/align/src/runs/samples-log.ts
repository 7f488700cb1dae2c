import { existsSync, readFileSync } from 'node:fs';
import { exactJson } from '@keel/model/exact-json';
import type { Content } from '../data/messages.ts';
import { appendWhole } from '../files/append-whole.ts';
import { writeFileAtomic } from '../files/atomic-write.ts';

/** One sampled answer, as a line of samples.jsonl. */
export interface SampleLine {
  /**
   * Optimizer step that first trained on it, from 1; for held-out prompts the steps before the
   * evaluation.
   */
  step: number;
  /** Its place in the data, from 0. */
  row: number;
  held_out?: true;
  prompt: Content;
  completion: string;
  /** null: the reward was not asked. */
  reward: number | null;
  aspects?: Record<string, number>;
  /** Of held-out answers with --gold; null: it has no score for the answer. */
  gold?: number | null;
  /** To the reference, in nats, summed over its tokens; null without a reference. */
  kl: number | null;
  /** Whether it came to its end before --max-new-tokens. */
  ended: boolean;
  tokens: number;
  /** Of rejection sampling: whether it is trained on. */
  kept?: boolean;
  /** Of D2PO: what the discriminator gives it, after it learnt of the batch's gold labels. */
  discriminator?: number;
  /** Of D2PO: who compared it with another answer. */
  label?: 'gold' | 'silver';
  /** Of D2PO: what it is of the pair that is trained on. */
  pair?: 'chosen' | 'rejected';
}

/** A line whose answer the reward was asked of. */
export type JudgedLine = SampleLine & { reward: number };

export const isJudged = (line: SampleLine): line is JudgedLine => line.reward !== null;

/** A run's samples.jsonl. */
export class SamplesLog {
  readonly #path: string;
  #steps: number | null = null;
  #opened = false;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * The run resumes after this many optimizer steps: samples of later ones are cut off before the
   * next are written.
   */
  goOnAfter(steps: number): void {
    this.#steps = steps;
  }

  append(lines: readonly SampleLine[]): void {
    if (!this.#opened) this.#open();
    appendWhole(this.#path, lines.map((line) => `${exactJson(line)}\n`).join(''));
  }

  #open(): void {
    this.#opened = true;
    const kept = this.#steps === null ? [] : this.#linesUpTo(this.#steps);
    writeFileAtomic(this.#path, kept.map((line) => `${line}\n`).join(''));
  }

  #linesUpTo(steps: number): string[] {
    if (!existsSync(this.#path)) return [];
    const lines = readFileSync(this.#path, 'utf8').split('\n');
    // Behind the last newline stands nothing, or a line whose writer was killed.
    lines.pop();
    return lines.filter((text, index) => this.#stepOf(text, index + 1) <= steps);
  }

  #stepOf(text: string, line: number): number {
    try {
      return (JSON.parse(text) as SampleLine).step;
    } catch (cause) {
      throw new Error(
        `${this.#path}:${line}: is not a JSON object, so the file is damaged. Remove the line, or restore the file`,
        { cause },
      );
    }
  }
}
