import { cohenKappa, fleissKappa } from '@keel/statistics';
import { describe, expect, it } from 'vitest';
import type { Choice, TaskKind } from '../store/schema.ts';
import type { VotedTask, VoteLine, Votes } from '../store/votes.ts';
import { agreementOf } from './agreement.ts';
import { consensusOf } from './consensus.ts';

type Line = Partial<Omit<VoteLine, 'person' | 'task'>> &
  Pick<VoteLine, 'choice'> & { task: string; person: string; kind?: TaskKind };
type Facts = Partial<VotedTask> & Pick<VotedTask, 'lengths'>;

/** Votes as the store gives them: by task, with people by their place. */
function votesOf(lines: readonly Line[], facts: ReadonlyMap<string, Facts> = new Map()): Votes {
  const people = [...new Set(lines.map(({ person }) => person))];
  const tasks = new Map<string, VotedTask>();
  for (const { task, kind = 'pair' } of lines)
    tasks.set(task, { id: task, kind, gold: null, lengths: [1, 1], ...facts.get(task) });
  const rest = { ranks: null, first: null, seconds: null, afterSuggestion: false };
  return {
    ...{ people, skipped: 0 },
    lines: lines
      .toSorted((a, b) => (a.task < b.task ? -1 : a.task > b.task ? 1 : 0))
      .map(({ kind: _, task, person, ...line }) => ({
        ...{ ...rest, ...line, task: tasks.get(task)!, person: people.indexOf(person) },
      })),
  };
}

/** Each two people's verdicts, as often as a table says. [first's choice, second's choice] */
const crossed = (table: readonly (readonly number[])[], names: readonly Choice[]): Line[] => {
  let task = 0;
  return table.flatMap((row, i) =>
    row.flatMap((count, j) =>
      Array.from({ length: count }, () => {
        task += 1;
        return [
          { task: `t${task}`, person: 'Ann', choice: names[i]! },
          { task: `t${task}`, person: 'Ben', choice: names[j]! },
        ];
      }).flat(),
    ),
  );
};

describe('agreement', () => {
  it.each([
    // Wikipedia, "Cohen's kappa".
    [
      [
        [20, 5],
        [10, 15],
      ],
      0.4,
    ],
    [
      [
        [45, 15],
        [25, 15],
      ],
      0.1304,
    ],
    // Gwet's example of two abstractors, 3 categories.
    [
      [
        [13, 0, 0],
        [0, 20, 7],
        [0, 4, 56],
      ],
      0.796409,
    ],
  ])('of two people is that of Cohen: %j', (table, kappa) => {
    const report = agreementOf(votesOf(crossed(table, ['left', 'right', 'tie'])));
    const [kind] = report.kinds;
    expect(kind!.cohen).toHaveLength(1);
    expect(kind!.cohen[0]!.people).toEqual(['Ann', 'Ben']);
    expect(kind!.cohen[0]!.kappa.value).toBeCloseTo(kappa, 4);
    const [low, high] = kind!.cohen[0]!.kappa.interval!;
    expect(low).toBeLessThan(kappa);
    expect(high).toBeGreaterThan(kappa);
  });

  it('of several people is that of Fleiss, whoever rated what', () => {
    const rows = [
      ['left', 'left', 'right', null],
      [null, 'tie', 'tie', 'tie'],
      ['right', null, 'right', 'left'],
      ['left', 'left', null, 'left'],
    ] as const;
    const people = ['Ann', 'Ben', 'Cid', 'Dee'];
    const lines = rows.flatMap((row, at) =>
      row.flatMap((choice, i) =>
        choice === null ? [] : [{ task: `t${at}`, person: people[i]!, choice }],
      ),
    );
    const codes = { left: 0, right: 1, tie: 2 };
    const table = people.map((_, i) => rows.map((row) => (row[i] == null ? null : codes[row[i]])));
    const [kind] = agreementOf(votesOf(lines)).kinds;
    expect(kind!.fleiss.value).toBeCloseTo(fleissKappa(table, { resamples: 50 }).value!, 12);
    const two = kind!.cohen.find(({ people: names }) => names.join() === 'Cid,Dee');
    expect(two!.kappa.value).toBeCloseTo(cohenKappa(table[2]!, table[3]!).value!, 12);
    expect(kind).toMatchObject({ units: 4, ratings: 12, counts: { left: 6, right: 3, tie: 3 } });
  });

  it('compares each two answers of a ranking', () => {
    const ranked = (person: string, ranks: number[], task = 't') => ({
      ...{ task, person, choice: 'ranked' as const, kind: 'ranking' as const, ranks },
    });
    const report = agreementOf(votesOf([ranked('Ann', [1, 2, 3]), ranked('Ben', [1, 3, 3])]));
    expect(report.kinds).toMatchObject([
      { kind: 'ranking', units: 3, counts: { left: 5, right: 0, tie: 1 } },
    ]);
  });

  it('counts a person against the majority of the others, and against gold', () => {
    const lines: Line[] = [];
    const say = (task: string, verdicts: Record<string, Choice>): void => {
      for (const [person, choice] of Object.entries(verdicts)) lines.push({ task, person, choice });
    };
    say('a', { Ann: 'left', Ben: 'left', Cid: 'right' });
    say('b', { Ann: 'right', Ben: 'left', Cid: 'left' });
    // Two others who disagree have no majority.
    say('c', { Ann: 'tie', Ben: 'left', Cid: 'right' });
    say('d', { Ann: 'left' });
    const gold = { choice: 'left' as const, ranks: null };
    const tasks = new Map(['a', 'b', 'd'].map((task) => [task, { lengths: [1, 1], gold }]));
    const { people } = agreementOf(votesOf(lines, tasks));
    expect(people).toMatchObject([
      { person: 'Ann', majority: { value: 0, count: 1 }, gold: { value: 2 / 3, count: 3 } },
      { person: 'Ben', majority: null, gold: { value: 1, count: 2 } },
      { person: 'Cid', majority: { value: 0, count: 1 }, gold: { value: 0.5, count: 2 } },
    ]);
  });

  it('says who prefers a side or the longer answer, and how long people take', () => {
    const lengths = (left: number, right: number) => ({ lengths: [left, right], gold: null });
    const tasks = new Map([
      ['a', lengths(5, 9)],
      ['b', lengths(9, 5)],
      ['c', lengths(7, 7)],
    ]);
    const by = { person: 'Ann', first: 0 };
    const { all } = agreementOf(
      votesOf(
        [
          { ...by, task: 'a', choice: 'left', seconds: 4 },
          { ...by, task: 'b', choice: 'left', seconds: 10 },
          { ...by, task: 'c', choice: 'right', seconds: 5 },
          { ...by, person: 'Ben', task: 'a', choice: 'tie' },
          // In an order that nobody knows.
          { ...by, person: 'Ben', task: 'b', choice: 'right', first: null },
        ],
        tasks,
      ),
    );
    expect(all).toMatchObject({
      verdicts: 5,
      left: { value: 2 / 3, count: 3 },
      longer: { value: 1 / 3, count: 3 },
      seconds: 5,
    });
  });

  it('needs a verdict', () => {
    expect(() => agreementOf(votesOf([]))).toThrow(RangeError);
  });
});

describe('consensus', () => {
  it('trusts reliable people more than a majority of unreliable ones', () => {
    const lines: Line[] = [];
    const truth = (at: number): Choice => (at % 2 === 0 ? 'left' : 'right');
    for (let at = 0; at < 60; at++) {
      const task = `t${100 + at}`;
      for (const person of ['Ann', 'Ben']) lines.push({ task, person, choice: truth(at) });
      // Right as often as wrong, each at other tasks.
      for (const [i, person] of ['Cid', 'Dee', 'Eve'].entries())
        lines.push({ task, person, choice: truth(Math.floor(at / 2 ** (i + 1))) });
    }
    const { units, accuracies } = consensusOf(votesOf(lines));
    expect(units.map(({ choice }) => choice)).toEqual(units.map((_, at) => truth(at)));
    for (const person of ['Ann', 'Ben']) expect(accuracies.pair![person]).toBeGreaterThan(0.95);
    for (const person of ['Cid', 'Dee', 'Eve']) expect(accuracies.pair![person]).toBeLessThan(0.7);
    for (const { probabilities } of units) {
      const sum = Object.values(probabilities).reduce((total, one) => total + one, 0);
      expect(sum).toBeCloseTo(1, 12);
    }
  });

  it('says nothing of people whose tasks nobody else saw', () => {
    const { accuracies } = consensusOf(
      votesOf([
        { task: 'a', person: 'Ann', choice: 'left' },
        { task: 'a', person: 'Ben', choice: 'left' },
        { task: 'b', person: 'Cid', choice: 'left' },
      ]),
    );
    expect(Object.keys(accuracies.pair!)).toEqual(['Ann', 'Ben']);
  });
});
