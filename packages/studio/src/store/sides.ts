// Orders of answers. An order names the position in the task of the answer in each place, so that
// [1, 0] shows the answers of a pair the other way round.
import type { Verdict } from './items.ts';
import type { Choice } from './schema.ts';

export type Order = readonly number[];

/** A random order of so many answers (Fisher and Yates). */
export function drawOrder(answers: number, random: () => number): number[] {
  const order = Array.from({ length: answers }, (_, at) => at);
  shuffle(order, random);
  return order;
}

/** Fisher and Yates. */
export function shuffle(list: unknown[], random: () => number): void {
  for (let at = list.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [list[at], list[other]] = [list[other], list[at]];
  }
}

const inverse = (order: Order): number[] => order.map((_, position) => order.indexOf(position));

type Placed = Pick<Verdict, 'choice' | 'ranks' | 'probability' | 'ratings' | 'edit'>;

/** A verdict by the places of an order, by the positions of the task. */
export function byPosition<Given extends Placed>(verdict: Given, order: Order): Given {
  const { choice, ranks, probability, ratings, edit } = verdict;
  const swapped = order.length === 2 && order[0] === 1;
  const turned: Partial<Record<Choice, Choice>> = swapped ? { left: 'right', right: 'left' } : {};
  const moved = <Value>(list: readonly Value[]): Value[] =>
    inverse(order).map((place) => list[place]!);
  return {
    ...verdict,
    choice: choice === null ? null : (turned[choice] ?? choice),
    ...(ranks != null && { ranks: moved(ranks) }),
    ...(probability != null && swapped && { probability: 1 - probability }),
    ...(ratings != null && {
      ratings: Object.fromEntries(
        Object.entries(ratings).map(([aspect, list]) => [aspect, moved(list)]),
      ),
    }),
    ...(edit != null && {
      edit: { ...edit, answer: edit.answer === null ? null : order[edit.answer]! },
    }),
  };
}

/** A verdict by the positions of the task, by the places of an order. */
export const byPlace = <Given extends Placed>(verdict: Given, order: Order): Given =>
  byPosition(verdict, inverse(order));

/** The stored order of a verdict; imported ones have only the place of the first answer. */
export function storedOrder(text: string | null, shown: number, answers: number): number[] | null {
  if (text !== null) return JSON.parse(text) as number[];
  return shown === 1 ? Array.from({ length: answers }, (_, at) => at) : null;
}
