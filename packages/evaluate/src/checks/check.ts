// Checks of generated answers. Every kind of check has this interface; `openCheck` makes one from
// its specification in a suite.
import type { Content, Rendering } from '@keel/align/data';

/** What a right answer is. Of a list, any is right. */
export type Target = TargetValue | readonly TargetValue[];

type TargetValue = string | number | bigint | boolean;

/** The row that an answer belongs to. */
export interface CheckedRow {
  /** The prompt as the model got it. */
  prompt: Content;
  rendering?: Rendering;
  /** What a right answer is, for checks that compare with it. */
  target?: Target;
  /** The row's other fields: `choices`, `instruction_id_list`, `kwargs`, … */
  extra: Readonly<Record<string, unknown>>;
}

/** A quantity of one answer. Over several answers it is the sum of sums by the sum of counts. */
export interface Measure {
  sum: number;
  /** 1 for a quantity of the whole answer; the number of instructions for one per instruction. */
  count: number;
  /** Whether it is a share, shown in percent (default: no). */
  share?: boolean;
  /** Whether less of it is better (default: no). */
  lowerIsBetter?: boolean;
}

/** What a check says of one answer. */
export interface CheckOutcome {
  /** How right the answer is: 0 to 1; null: the check only measures, or does not judge this row. */
  score: number | null;
  /** The category of the answer, for checks that name one: `full_refusal`. */
  label?: string;
  /** What the check read in the answer, such as its number or letter; null: nothing. */
  read?: string | null;
  /** Other quantities of the answer, by name. */
  measures?: Readonly<Record<string, Measure>>;
  /** Why it has this score, in words. */
  note?: string;
}

/** Checks generated answers. */
export interface Check extends AsyncDisposable {
  /** Its specification in short, such as `number` or `regex:/^yes/i`. */
  readonly name: string;
  /** Names of the labels that it gives, in order; empty: it gives none. */
  readonly labels: readonly string[];
  /** Whether which quantities it measures depends on the row (default: no). */
  readonly measuresVary?: boolean;
  /**
   * Looks at a row without an answer, so that mistakes are found before anything is generated.
   * @throws CheckError naming the field that is missing or wrong
   */
  admit(row: CheckedRow): void;
  /**
   * @throws CheckError as `admit`; Error if a function fails; the signal's reason once it is
   *   aborted
   */
  check(answer: string, row: CheckedRow, signal?: AbortSignal): Promise<CheckOutcome>;
}

/** A row that a check cannot use. */
export class CheckError extends Error {
  override readonly name = 'CheckError';
  /** The field at fault: `target`, `kwargs`. */
  readonly field: string;

  constructor(field: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.field = field;
  }
}
