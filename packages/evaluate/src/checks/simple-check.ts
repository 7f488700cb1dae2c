import { withoutReasoning } from '@keel/align/internal';
import type { Check, CheckedRow, CheckOutcome } from './check.ts';

/** The parts of a check that needs no resources and no waiting. It judges the final answer. */
export interface SimpleCheck {
  name: string;
  labels?: readonly string[];
  measuresVary?: boolean;
  admit?(row: CheckedRow): void;
  check(answer: string, row: CheckedRow): CheckOutcome;
}

export const simpleCheck = ({
  name,
  labels = [],
  measuresVary = false,
  admit,
  check,
}: SimpleCheck): Check => ({
  name,
  labels,
  measuresVary,
  admit: (row) => admit?.(row),
  async check(answer, row, signal) {
    signal?.throwIfAborted();
    return check(withoutReasoning(answer), row);
  },
  async [Symbol.asyncDispose]() {},
});
