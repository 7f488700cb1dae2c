// Verdicts as units that people rated. A pair and a thumb are one unit; a ranking is one for each
// two of its answers.
import type { VoteLine, Votes } from '../store/reading.ts';
import type { Choice, TaskKind } from '../store/schema.ts';

/** What units of each kind are rated as; their places are the categories' numbers. */
export const categories: Readonly<Record<TaskKind, readonly Choice[]>> = {
  pair: ['left', 'right', 'tie', 'both_bad'],
  ranking: ['left', 'right', 'tie'],
  thumb: ['up', 'down'],
};

export interface Unit {
  task: string;
  /** Places of the two answers of a ranking that are compared; null for other kinds. */
  answers: readonly [number, number] | null;
  /** Category by person. */
  ratings: Map<number, number>;
  gold: number | null;
}

export interface Units {
  kind: TaskKind;
  units: readonly Unit[];
}

/** People in the order in which they occur. */
export const peopleIn = ({ lines }: Pick<Votes, 'lines'>): string[] => [
  ...new Set(lines.map(({ person }) => person)),
];

/** The units of each kind that occurs. */
export function unitsOf({ lines, tasks }: Votes, people: readonly string[]): Units[] {
  const numbers = new Map(people.map((name, at) => [name, at]));
  const found = new Map<TaskKind, Map<string, Unit>>();
  for (const line of lines) {
    const person = numbers.get(line.person)!;
    let units = found.get(line.kind);
    if (units === undefined) {
      units = new Map();
      found.set(line.kind, units);
    }
    const gold = tasks.get(line.task)?.gold ?? null;
    const known = categories[line.kind];
    if (line.kind !== 'ranking') {
      const unit = unitAt(units, line.task, line.task, null);
      unit.ratings.set(person, known.indexOf(line.choice));
      if (gold !== null) unit.gold = known.indexOf(gold.choice);
      continue;
    }
    const { ranks } = line;
    for (let i = 0; i < ranks!.length; i++) {
      for (let j = i + 1; j < ranks!.length; j++) {
        const unit = unitAt(units, `${line.task} ${i} ${j}`, line.task, [i, j]);
        unit.ratings.set(person, compared(ranks!, i, j));
        if (gold?.ranks != null) unit.gold = compared(gold.ranks, i, j);
      }
    }
  }
  return [...found].map(([kind, units]) => ({ kind, units: [...units.values()] }));
}

function unitAt(
  units: Map<string, Unit>,
  key: string,
  task: string,
  answers: Unit['answers'],
): Unit {
  let unit = units.get(key);
  if (unit === undefined) {
    unit = { task, answers, ratings: new Map(), gold: null };
    units.set(key, unit);
  }
  return unit;
}

/** Which of two answers has the better rank, as a category. */
const compared = (ranks: readonly number[], i: number, j: number): number =>
  ranks[i]! < ranks[j]! ? 0 : ranks[i]! > ranks[j]! ? 1 : 2;

/** Whether a pair's verdict prefers the longer answer; null where that cannot be said. */
export function prefersLonger(
  { kind, choice }: VoteLine,
  lengths: readonly number[] | undefined,
): boolean | null {
  if (kind !== 'pair' || lengths === undefined || lengths[0] === lengths[1]) return null;
  if (choice !== 'left' && choice !== 'right') return null;
  return (choice === 'left') === lengths[0]! > lengths[1]!;
}
