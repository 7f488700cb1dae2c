import type { Proportion } from '@keel/statistics';

/** Below this share of equal winners in both orders, a judge cannot tell answers apart. */
const LEAST_AGREEMENT = 0.6;

/**
 * What the agreement of both orders says about a judge that sees them.
 * @param agree the share of pairs with the same winner in both orders
 * @returns why its verdicts say little; null if the orders agree often enough
 */
export function orderWarning(agree: Pick<Proportion, 'value'>): string | null {
  if (agree.value >= LEAST_AGREEMENT) return null;
  const share = `${(100 * agree.value).toFixed(0)}%`;
  return (
    `This judge cannot tell these answers apart: in only ${share} of the pairs both orders have ` +
    'the same winner, and a coin reaches 50%. Do not rely on it.'
  );
}
