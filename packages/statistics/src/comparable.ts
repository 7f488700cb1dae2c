import { NoMaximumError } from './logistic-regression.ts';
import { stronglyConnected, weaklyConnected } from './strongly-connected.ts';

/**
 * The likelihood has a maximum if and only if every model can be reached from every other by wins
 * and ties (Ford 1957).
 * @param beats the models that each model beat or tied with
 * @throws NoMaximumError otherwise: the message names the models
 */
export function checkComparable(beats: ReadonlyMap<string, ReadonlySet<string>>): void {
  const islands = weaklyConnected(beats);
  if (islands.length > 1) {
    const groups = islands.map((group) => group.join(', ')).join('; ');
    throw new NoMaximumError(
      `the likelihood has no maximum: no battle compares these groups of models with each other: ${groups}`,
    );
  }
  const groups = stronglyConnected(beats);
  if (groups.length === 1) return;
  const said = groups.flatMap((group) => {
    const outside = (one: string): boolean => !group.includes(one);
    const wins = group.some((name) => [...beats.get(name)!].some(outside));
    const losses = [...beats].some(
      ([name, beaten]) => outside(name) && [...beaten].some((one) => group.includes(one)),
    );
    if (wins && losses) return [];
    return `${group.join(', ')} ${wins ? 'won' : 'lost'} every battle against the others`;
  });
  throw new NoMaximumError(`the likelihood has no maximum: ${said.join('; ')}`);
}
