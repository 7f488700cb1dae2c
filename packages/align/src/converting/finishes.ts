// Why each answer of an example ended, which goes with the answer into rows of another kind.
import { finishReasons } from '../data/finish-reasons.ts';
import type { Example, Fields } from './formats/example.ts';

/** The finish column of an answer, under the name that the row's kind reads. */
export interface Finishes {
  /** Of a row with this answer alone; a pair has the chosen answer first. */
  single(answer: number): Fields;
  pair(chosen: number, rejected: number): Fields;
  /** Of a row with all answers. */
  all(): Fields;
  /** Names of the example's columns. */
  names: readonly string[];
}

/** Separates the finish columns of an example from its others. */
export function takeFinishes<Kept extends Example>(
  example: Kept,
): { example: Kept; finishes: Finishes } {
  const found = reasonsOf(example);
  const names = Object.keys(found.columns);
  const columns = Object.fromEntries(
    Object.entries(example.columns).filter(([name]) => !names.includes(name)),
  );
  const named = (fields: Fields): Fields =>
    Object.fromEntries(Object.entries(fields).filter(([, reason]) => reason !== undefined));
  const { reasons } = found;
  const finishes = {
    single: (answer: number) => named({ finish_reason: reasons[answer] }),
    pair: (chosen: number, rejected: number) =>
      named({
        chosen_finish_reason: reasons[chosen],
        rejected_finish_reason: reasons[rejected],
      }),
    all: () => (reasons.length === 0 ? {} : { finish_reasons: reasons.map((one) => one ?? null) }),
    names,
  };
  return { example: { ...example, columns }, finishes };
}

function reasonsOf(example: Example): { reasons: readonly unknown[]; columns: Fields } {
  const { columns } = example;
  const only = (...names: string[]): Fields =>
    Object.fromEntries(names.filter((name) => name in columns).map((one) => [one, columns[one]]));
  switch (example.kind) {
    case 'chat':
    case 'answer':
    case 'thumb': {
      const own = only('finish_reason');
      return { reasons: Object.values(own), columns: own };
    }
    case 'pair': {
      const own = only('chosen_finish_reason', 'rejected_finish_reason');
      const { chosen_finish_reason: chosen, rejected_finish_reason: rejected } = own;
      return { reasons: Object.keys(own).length === 0 ? [] : [chosen, rejected], columns: own };
    }
    case 'ranking': {
      const own = only('finish_reasons');
      const reasons = finishReasons(own.finish_reasons, example.completions.length);
      return reasons === null ? { reasons: [], columns: {} } : { reasons, columns: own };
    }
    default:
      return { reasons: [], columns: {} };
  }
}
