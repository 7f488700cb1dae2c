import { resamplingRandom, signTest } from '@keel/statistics';
import { describe, expect, it } from 'vitest';
import { PreferenceStore } from '../store/preference-store.ts';
import type { Choice } from '../store/schema.ts';
import { projectQuality } from './quality.ts';

/** What a person says of a task: of its number, the right choice and whether answers are swapped. */
type Habit = (at: number, right: 'left' | 'right', swapped: boolean) => Choice;

const honest: Habit = (_, right) => right;
/** Whatever is on the left of the page. */
const onLeft: Habit = (_at, _right, swapped) => (swapped ? 'right' : 'left');

/**
 * A store in which people annotate tasks of their own habits, each at its pace.
 * @returns everybody's quality by name
 */
async function qualityAmong(
  people: Readonly<Record<string, { habit: Habit; seconds: number }>>,
  { tasks = 40, gold = 0 } = {},
) {
  await using store = await PreferenceStore.open(':memory:');
  const project = await store.openProject('p');
  await store.saveSettings(project, { overlap: 10, tooFast: 3, goldShare: 0 });
  const rightOf = (at: number) => (at % 2 === 0 ? ('left' as const) : ('right' as const));
  await store.addTasks(
    project,
    Array.from({ length: tasks }, (_, at) => ({
      kind: 'pair' as const,
      prompt: `Question ${at}`,
      answers: [{ content: `a${at}` }, { content: `b${at}` }],
      annotations: [],
    })),
    { random: () => 0.99 },
  );
  const random = resamplingRandom(5);
  for (const [person, { habit, seconds }] of Object.entries(people)) {
    for (let at = 0; at < tasks; at++) {
      const { task } = await store.next(project, person, { random });
      const swapped = (task!.answers[0] as string).startsWith('b');
      const number = Number((task!.prompt as string).slice(9));
      const said = habit(number, rightOf(number), swapped);
      const turned: Partial<Record<Choice, Choice>> = { left: 'right', right: 'left' };
      const choice = swapped ? (turned[said] ?? said) : said;
      await store.annotate(task!.id, person, { choice, seconds });
    }
  }
  // Their right verdicts become known later.
  await store.addTasks(
    project,
    Array.from({ length: gold }, (_, at) => ({
      kind: 'pair' as const,
      prompt: `Question ${at}`,
      answers: [{ content: `a${at}` }, { content: `b${at}` }],
      annotations: [],
      gold: { choice: rightOf(at) },
    })),
    { random: () => 0.99 },
  );
  const all = await projectQuality(store, project);
  return new Map(all.map((one) => [one.person, one]));
}

const namesOf = (flags: readonly { flag: string }[] | undefined) => flags?.map(({ flag }) => flag);

describe('quality', () => {
  it('finds nothing to say of good work', async () => {
    const people = await qualityAmong(
      { Ann: { habit: honest, seconds: 9 }, Ben: { habit: honest, seconds: 7 } },
      { gold: 20 },
    );
    expect(people.get('Ann')).toMatchObject({
      ...{ verdicts: 40, seconds: 9, flags: [], tooFast: { value: 0, count: 40 } },
      ...{ gold: { value: 1, count: 20 }, others: { value: 1, count: 40 } },
    });
    expect(people.get('Ann')!.leftP).toBeGreaterThan(0.001);
  });

  it('finds who is too fast, always chooses a side, and misses gold', async () => {
    const people = await qualityAmong(
      {
        Ann: { habit: honest, seconds: 9 },
        Ben: { habit: honest, seconds: 7 },
        Cid: { habit: onLeft, seconds: 1 },
      },
      { gold: 20 },
    );
    const cid = people.get('Cid')!;
    expect(namesOf(cid.flags)).toEqual(
      expect.arrayContaining(['too fast', 'always left', 'long streak']),
    );
    expect(cid).toMatchObject({
      ...{ tooFast: { value: 1, count: 40 }, left: { value: 1, count: 40 } },
      streak: { side: 'left', length: 40, pairs: 40 },
    });
    expect(cid.leftP).toBe(signTest(40, 0));
    const [fast, left] = cid.flags;
    expect(fast!.evidence).toBe('40 of 40 verdicts took less than 3 s');
    expect(left!.evidence).toMatch(/^40 of 40 decided pairs \(100%\) are for .* left; p = 2e-12$/);
    expect(namesOf(people.get('Ann')!.flags)).toEqual([]);
  });

  it('finds who says the opposite of the others', async () => {
    const opposite: Habit = (_, right) => (right === 'left' ? 'right' : 'left');
    const people = await qualityAmong(
      {
        Ann: { habit: honest, seconds: 9 },
        Ben: { habit: honest, seconds: 7 },
        Cid: { habit: opposite, seconds: 8 },
      },
      { gold: 12 },
    );
    const cid = people.get('Cid')!;
    expect(cid.flags).toEqual([
      { flag: 'misses gold', evidence: 'right on 0 of 12 tasks whose verdict is known' },
      {
        flag: 'disagrees with the others',
        evidence: 'as most of the others on 0 of 40 tasks',
      },
    ]);
    // Said by what is right: left and right, in the order of the choices.
    const [{ kind, choices, units, shares }] = cid.confusions as [(typeof cid.confusions)[0]];
    expect([kind, choices.slice(0, 2), units]).toEqual(['pair', ['left', 'right'], 40]);
    expect(shares[0]![1]).toBeGreaterThan(0.99);
    expect(shares[1]![0]).toBeGreaterThan(0.99);
    expect(people.get('Ann')!.confusions[0]!.shares[0]![0]).toBeGreaterThan(0.99);
  });

  it('has nobody in a project without verdicts', async () => {
    await using store = await PreferenceStore.open(':memory:');
    expect(await projectQuality(store, await store.openProject('p'))).toEqual([]);
  });
});
