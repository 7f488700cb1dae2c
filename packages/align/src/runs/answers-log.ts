// A run's answers.jsonl: greedy answers to the sample prompts, at each evaluation.
import { existsSync, readFileSync } from 'node:fs';
import { exactJson } from '@keel/model/exact-json';
import type { Content } from '../data/messages.ts';
import { appendWhole } from '../files/append-whole.ts';
import { writeFileAtomic } from '../files/atomic-write.ts';

/** One answer to a sample prompt, as a line of answers.jsonl. */
export interface AnswerLine {
  /** Optimizer steps that had finished. */
  step: number;
  prompt: Content;
  completion: string;
  /** Of the answer, with its end token. */
  tokens: number;
  /** Whether it ended before --sample-tokens. */
  ended: boolean;
}

export class AnswersLog {
  readonly #path: string;
  readonly #lines: AnswerLine[];

  private constructor(path: string, lines: AnswerLine[]) {
    this.#path = path;
    this.#lines = lines;
  }

  /**
   * @param resumeFrom step that the run resumes from: later answers are removed; null: all are
   * @throws Error naming the line if a line before the last is damaged
   */
  static open(path: string, resumeFrom: number | null): AnswersLog {
    const all = resumeFrom === null ? [] : AnswersLog.read(path);
    const kept = all.filter(({ step }) => step <= (resumeFrom ?? -1));
    const text = kept.map((line) => `${exactJson(line)}\n`).join('');
    const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
    if (before !== text) writeFileAtomic(path, text);
    return new AnswersLog(path, kept);
  }

  /**
   * Answers in a file, oldest first; none if there is no file. An incomplete last line is dropped.
   * @throws Error naming the line if a line before the last is damaged
   */
  static read(path: string): AnswerLine[] {
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, 'utf8').split('\n');
    // After the last newline there is nothing, or the line of a writer that was killed.
    lines.pop();
    return lines.map((text, index) => {
      try {
        return JSON.parse(text) as AnswerLine;
      } catch (cause) {
        throw new Error(
          `${path}:${index + 1}: is not a JSON object, so the file is damaged. Remove the line, or restore the file`,
          { cause },
        );
      }
    });
  }

  /** All answers so far, oldest first. */
  get lines(): readonly AnswerLine[] {
    return this.#lines;
  }

  has(step: number): boolean {
    return this.#lines.some((line) => line.step === step);
  }

  append(lines: readonly AnswerLine[]): void {
    appendWhole(this.#path, lines.map((line) => `${exactJson(line)}\n`).join(''));
    this.#lines.push(...lines);
  }
}

/** The answers of each step, oldest first. */
export function answersByStep(
  lines: readonly AnswerLine[],
): { step: number; answers: AnswerLine[] }[] {
  const steps = Map.groupBy(lines, ({ step }) => step);
  return [...steps].map(([step, answers]) => ({ step, answers }));
}
