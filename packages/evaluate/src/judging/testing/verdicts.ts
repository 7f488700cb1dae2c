import type { OrderVerdict, VerdictRow } from '../verdicts/verdict-row.ts';
import { combineOrders } from '../verdicts/verdict-row.ts';

const usage = { promptTokens: 1, answerTokens: 1, cost: 0 };

/** A verdict with the probabilities that the first answer got in both orders. */
export function verdict(
  row: number,
  first: readonly (number | null)[],
  own: Partial<VerdictRow> = {},
): VerdictRow {
  const orders = first.map(
    (value, index): OrderVerdict => ({
      first: index === 0 ? 'a' : 'b',
      preference_first: value,
      tie: value === null ? null : 0,
      exchanges: [],
      usage,
      ...(value === null && { failed: 'no label' }),
    }),
  );
  return {
    ...{ row, prompt: `prompt ${row}`, model_a: 'base', model_b: 'tuned' },
    ...{ answer_a: 'short', answer_b: 'a longer one', category: null, judge: 'test' },
    ...combineOrders(orders),
    ...{ orders, flags_a: [], flags_b: [], rule: null, key: String(row) },
    ...own,
  };
}
