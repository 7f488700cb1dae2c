// Verdicts as units that people rated. A pair and a thumb are one unit; a ranking is one for each
// two of its answers.

import type { Choice, TaskKind } from '../store/schema.ts';
import type { VotedTask, VoteLine, Votes } from '../store/votes.ts';

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
  people: readonly number[];
  ratings: readonly number[];
  gold: number | null;
}

export interface Units {
  kind: TaskKind;
  units: readonly Unit[];
}

/** The units of each kind that occurs. */
export function unitsOf({ lines }: Votes): Units[] {
  const found = new Map<TaskKind, Unit[]>();
  for (let start = 0; start < lines.length; ) {
    const { task } = lines[start]!;
    let end = start + 1;
    while (end < lines.length && lines[end]!.task === task) end += 1;
    let all = found.get(task.kind);
    if (all === undefined) {
      all = [];
      found.set(task.kind, all);
    }
    addUnits(all, task, lines.slice(start, end));
    start = end;
  }
  return [...found].map(([kind, units]) => ({ kind, units }));
}

/** The units of one task. There are many: each list has the length that it needs. */
function addUnits(units: Unit[], { id, kind, gold }: VotedTask, lines: readonly VoteLine[]): void {
  const names = categories[kind];
  const people = lines.map(({ person }) => person);
  if (kind !== 'ranking') {
    const right = gold === null ? null : names.indexOf(gold.choice);
    const ratings = lines.map(({ choice }) => names.indexOf(choice));
    units.push({ task: id, answers: null, people, ratings, gold: right });
    return;
  }
  const count = lines[0]!.ranks!.length;
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      units.push({
        task: id,
        answers: [i, j],
        people,
        ratings: lines.map(({ ranks }) => compared(ranks!, [i, j])),
        gold: gold?.ranks == null ? null : compared(gold.ranks, [i, j]),
      });
    }
  }
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
