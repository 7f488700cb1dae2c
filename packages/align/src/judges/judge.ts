// Judges compare two answers to a prompt, or rate one. Every kind of judge has this interface; a
// caller that wants both orders of a pair asks twice.
import type { Content } from '../data/messages.ts';
import type { Rendering } from '../data/rendering.ts';

/** What a judge is asked about, besides the answers. */
export interface JudgedPrompt {
  prompt: Content;
  /** The other inputs of the chat template: tools and template variables. */
  rendering?: Rendering;
  /** A good answer, for judges that compare with one. */
  reference?: Content;
  /** What to judge by, for a judge that is asked in words: replaces its own instructions. */
  instructions?: string;
  /** The row's fields that its kind does not define. */
  extra: Readonly<Record<string, unknown>>;
}

/** Two answers to a prompt, in the order in which the judge sees them. */
export interface JudgedPair extends JudgedPrompt {
  answers: readonly [Content, Content];
}

/** One answer to rate. */
export interface JudgedAnswer extends JudgedPrompt {
  answer: Content;
}

/** What was asked of a judge and what it said, for the record. */
export interface Exchange {
  /** The messages, or the text for a model without a chat template. */
  asked: Content;
  /** The judge's words; for a judge that is read by its probabilities, its most likely label. */
  said: string;
  /** Probabilities of the labels, by label, where they were read. */
  probabilities?: Readonly<Record<string, number>>;
}

/** What a verdict cost. */
export interface JudgeUsage {
  promptTokens: number;
  answerTokens: number;
  /** In the currency of the judge's prices; 0 for a judge without prices. */
  cost: number;
}

interface Judgement {
  /** The judge's reason, in words. */
  why?: string;
  /** Empty for a judge that is not asked in words, such as a reward model. */
  exchanges: readonly Exchange[];
  usage: JudgeUsage;
  /**
   * Whether asking again may give another verdict: the judge, or a member of the panel, could not
   * be reached. Such a verdict is not cached.
   */
  transient?: boolean;
  /**
   * Of a panel: what each member says, by its name; null for a member without a verdict. Of a
   * comparison: its {@link PairVerdict.first}; of a rating: its score.
   */
  members?: Readonly<Record<string, number | null>>;
}

/** Which of two answers is better. */
export interface PairVerdict extends Judgement {
  /** Probability that the first answer is the better one, plus half of {@link tie}: 0 to 1. */
  first: number;
  /** Probability that neither is better: 0 to 1. */
  tie: number;
}

/** How good one answer is. */
export interface AnswerRating extends Judgement {
  /** Higher is better. */
  score: number;
  /** Score of each criterion of a rubric, by its name. */
  criteria?: Readonly<Record<string, number>>;
}

/** A judge that was asked and gave no usable verdict. It is counted, never guessed. */
export interface NoVerdict extends Judgement {
  /** What was wrong, in words: `no label in "I like both"`. */
  failed: string;
}

export interface Judge extends AsyncDisposable {
  readonly name: string;
  /**
   * All that its verdicts depend on, besides what it is asked about: the model's hash, its prompt,
   * its rubric. Two judges with the same identity give the same verdicts.
   */
  readonly identity: string;
  /** How many calls are useful at the same time: 1 for a model in this process. */
  readonly concurrency: number;
  /**
   * Whether the order of the answers can change its verdict: false for reward models, labels and
   * rules, which are asked once.
   */
  readonly seesOrder: boolean;
  /**
   * Whether it is asked in words, so that {@link JudgedPrompt.instructions} have an effect
   * (default: false).
   */
  readonly isAskedInWords?: boolean;
  /**
   * Which of two answers is better; absent if it only rates.
   * @throws Error if it cannot be asked at all, the signal's reason once it is aborted
   */
  compare?(pair: JudgedPair, signal?: AbortSignal): Promise<PairVerdict | NoVerdict>;
  /**
   * How good one answer is; absent if it only compares.
   * @throws as `compare`
   */
  rate?(answer: JudgedAnswer, signal?: AbortSignal): Promise<AnswerRating | NoVerdict>;
}
