// What each unit most probably is, by the model of Dawid and Skene: people whose verdicts agree
// with those of others count more.
import { dawidSkene } from '@keel/statistics';
import type { Choice, TaskKind } from '../store/schema.ts';
import type { Votes } from '../store/votes.ts';
import { categories, labelTable, unitsOf } from './units.ts';

export interface ConsensusUnit {
  task: string;
  kind: TaskKind;
  /** Places of the two answers of a ranking that are compared; null for other kinds. */
  answers: readonly [number, number] | null;
  choice: Choice;
  /** P(choice | all verdicts) by category. */
  probabilities: Readonly<Record<string, number>>;
  votes: number;
}

export interface Consensus {
  units: readonly ConsensusUnit[];
  /** P(a person's verdict is right), by kind: the mean over the classes' shares. */
  accuracies: Readonly<Partial<Record<TaskKind, Readonly<Record<string, number>>>>>;
}

export function consensusOf(votes: Votes): Consensus {
  const { people } = votes;
  const units: ConsensusUnit[] = [];
  const accuracies: Partial<Record<TaskKind, Record<string, number>>> = {};
  for (const { kind, units: own } of unitsOf(votes)) {
    const known = categories[kind];
    const table = labelTable(own, people.length);
    const { prior, posterior, confusion } = dawidSkene(table, known.length);
    // Nothing is known of people whose verdicts nobody else could confirm.
    const compared = new Set(own.flatMap((unit) => (unit.people.length > 1 ? unit.people : [])));
    accuracies[kind] = Object.fromEntries(
      people.flatMap((person, at) => {
        if (!compared.has(at)) return [];
        const right = prior.reduce((sum, one, k) => sum + one * confusion[at]![k]![k]!, 0);
        return [[person, right]];
      }),
    );
    for (const [at, { task, answers, ratings }] of own.entries()) {
      const chances = posterior[at]!;
      units.push({
        ...{ task, kind, answers, votes: ratings.length },
        choice: known[chances.indexOf(Math.max(...chances))]!,
        probabilities: Object.fromEntries(known.map((name, k) => [name, chances[k]!])),
      });
    }
  }
  return { units, accuracies };
}
