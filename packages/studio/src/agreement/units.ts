// Verdicts as units that people rated. A pair and a thumb are one unit; a ranking is one for each
// two of its answers.
import type { VotedTask, VoteLine, Votes } from '../store/reading.ts';
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
  /** Who rated it, and as what category. */
  people: number[];
  ratings: number[];
  gold: number | null;
}

export interface Units {
  kind: TaskKind;
  units: readonly Unit[];
}

/** The units of each kind that occurs. */
export function unitsOf({ lines }: Votes): Units[] {
  const found = new Map<TaskKind, Unit[]>();
  let task: VotedTask | null = null;
  let own: Unit[] = [];
  for (const line of lines) {
    const { kind } = line.task;
    if (line.task !== task) {
      task = line.task;
      own = newUnits(line);
      let all = found.get(kind);
      if (all === undefined) {
        all = [];
        found.set(kind, all);
      }
      for (const unit of own) all.push(unit);
    }
    const rating = categories[kind].indexOf(line.choice);
    for (const { answers, people, ratings } of own) {
      people.push(line.person);
      ratings.push(answers === null ? rating : compared(line.ranks!, answers));
    }
  }
  return [...found].map(([kind, units]) => ({ kind, units }));
}

function newUnits({ task: { id, kind, gold }, ranks }: VoteLine): Unit[] {
  const unit = (answers: Unit['answers'], right: number | null): Unit => ({
    ...{ task: id, answers, people: [], ratings: [], gold: right },
  });
  if (ranks === null) {
    return [unit(null, gold === null ? null : categories[kind].indexOf(gold.choice))];
  }
  const units: Unit[] = [];
  for (let i = 0; i < ranks.length; i++) {
    for (let j = i + 1; j < ranks.length; j++) {
      units.push(unit([i, j], gold?.ranks == null ? null : compared(gold.ranks, [i, j])));
    }
  }
  return units;
}

/** Which of two answers has the better rank, as a category. */
const compared = (ranks: readonly number[], [i, j]: readonly [number, number]): number =>
  ranks[i]! < ranks[j]! ? 0 : ranks[i]! > ranks[j]! ? 1 : 2;

/** Ratings by person and unit; null where a person did not rate it. [people, units] */
export function labelTable(units: readonly Unit[], people: number): (number | null)[][] {
  const table = Array.from({ length: people }, () =>
    new Array<number | null>(units.length).fill(null),
  );
  for (const [at, unit] of units.entries())
    for (const [i, person] of unit.people.entries()) table[person]![at] = unit.ratings[i]!;
  return table;
}

/** Whether a pair's verdict prefers the longer answer; null where that cannot be said. */
export function prefersLonger(choice: Choice, lengths: readonly number[]): boolean | null {
  if (choice !== 'left' && choice !== 'right') return null;
  if (lengths[0] === lengths[1]) return null;
  return (choice === 'left') === lengths[0]! > lengths[1]!;
}
