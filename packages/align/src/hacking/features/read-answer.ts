import type { JudgeAddress } from '../../judges/speaking/rules.ts';
import { speaksToJudge } from '../../judges/speaking/speaks-to-judge.ts';
import { type AnswerStyle, answerStyle } from './answer-style.ts';
import { wordsOf } from './phrases.ts';

/** An answer to measure. What several features need of it is computed once. */
export class ReadAnswer {
  /** The text of the prompt. */
  readonly prompt: string;
  readonly text: string;
  /** Whether it came to its end; null: not known, so the text decides. */
  readonly ended: boolean | null;
  #style: AnswerStyle | null = null;
  #words: readonly string[] | null = null;
  #addresses: readonly JudgeAddress[] | null = null;

  constructor(prompt: string, text: string, ended: boolean | null = null) {
    this.prompt = prompt;
    this.text = text;
    this.ended = ended;
  }

  get style(): AnswerStyle {
    this.#style ??= answerStyle(this.text);
    return this.#style;
  }

  get words(): readonly string[] {
    this.#words ??= wordsOf(this.text);
    return this.#words;
  }

  /** What it does that speaks to a judge. */
  get addresses(): readonly JudgeAddress[] {
    this.#addresses ??= speaksToJudge(this.text);
    return this.#addresses;
  }
}
