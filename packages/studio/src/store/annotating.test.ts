// Annotating as a page does it: tasks as one person sees them, verdicts, and changing one's mind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { resamplingRandom } from '@keel/statistics';
import { describe, expect, it } from 'vitest';
import { agreementOf } from '../agreement/agreement.ts';
import { NewerVerdictError } from './annotating.ts';
import type { TaskInput, Verdict } from './items.ts';
import { PreferenceStore } from './preference-store.ts';
import type { SettingsPatch } from './settings.ts';
import { databases } from './testing/databases.ts';

const pair = (at: number, more: Partial<TaskInput> = {}): TaskInput => ({
  kind: 'pair',
  prompt: `Question ${at}?`,
  answers: [
    { content: `First ${at}`, model: 'model-one', sampling: { temperature: 0.7 } },
    { content: `Second ${at}`, model: 'model-two', adapter: 'adapter-two' },
  ],
  columns: { source: 'model-one' },
  annotations: [],
  ...more,
});
const pairs = (count: number, more: Partial<TaskInput> = {}): TaskInput[] =>
  Array.from({ length: count }, (_, at) => pair(at, more));
const gold = { choice: 'left' as const };

/** Draws that leave an order, or swap two answers. */
const [kept, swapped] = [() => 0.99, () => 0];

async function storeWith(
  database: string,
  inputs: readonly TaskInput[],
  settings: SettingsPatch = {},
): Promise<{ store: PreferenceStore; project: string }> {
  const store = await PreferenceStore.open(database);
  const project = await store.openProject('p');
  await store.saveSettings(project, { goldShare: 0, ...settings });
  await store.addTasks(project, inputs, { random: kept });
  return { store, project };
}

/** Annotates until nothing is left. @returns the tasks in their order */
async function annotateAll(
  store: PreferenceStore,
  project: string,
  person: string,
  verdict: Verdict = { choice: 'left' },
  random: () => number = Math.random,
): Promise<string[]> {
  const tasks: string[] = [];
  for (;;) {
    const task = await store.claim(project, person, { random });
    if (task === null) return tasks;
    await store.annotate(task, person, verdict);
    tasks.push(task);
  }
}

describe.each(databases)('%s', (_, newDatabase) => {
  it('keeps settings, with defaults, and names every fault', async () => {
    await using store = await PreferenceStore.open(await newDatabase());
    const project = await store.openProject('p');
    expect(await store.settings(project)).toMatchObject({
      ...{ overlap: 1, tie: true, bothBad: true, order: 'added', ranking: 'order', aspects: [] },
      strengths: ['slightly better', 'better', 'much better'],
    });
    await store.addTasks(project, [pair(0)], { random: kept });
    const helpful = { key: 'helpful', label: 'Helpful', least: 0, most: 4 };
    await store.saveSettings(project, { overlap: 2, aspects: [helpful] });
    const saved = await store.saveSettings(project, { tie: false });
    expect(saved).toMatchObject({ overlap: 2, tie: false, bothBad: true });
    expect(saved.aspects).toMatchObject([{ ...helpful, question: '' }]);
    expect(await store.settings(project)).toEqual(saved);
    // A new overlap is that of tasks which are there, and of new ones.
    await store.addTasks(project, [pair(1)], { random: kept });
    const tasks = await Array.fromAsync(store.tasks(project));
    expect(tasks.map(({ overlap }) => overlap)).toEqual([2, 2]);
    const wrong = { goldShare: 2, aspects: [helpful, helpful] };
    await expect(store.saveSettings(project, wrong)).rejects.toThrow(/same key.*goldShare/);
    expect(await store.settings(project)).toEqual(saved);
    await expect(store.settings('none')).rejects.toThrow(/no project/);
  });

  it('shows a task without the names of models', async () => {
    const { store, project } = await storeWith(await newDatabase(), [pair(0)]);
    await using _ = store;
    const { task, progress, pace } = await store.next(project, 'Ann', { random: swapped });
    expect(task).toEqual({
      ...{ id: task!.id, project, kind: 'pair', prompt: 'Question 0?', state: 'held' },
      ...{ answers: ['Second 0', 'First 0'], draft: null, since: task!.since },
    });
    expect(JSON.stringify(task)).not.toMatch(/model|adapter|temperature/);
    expect(progress).toEqual({ mine: 0, skipped: 0, left: 1, done: 0, needed: 1 });
    expect(pace).toEqual({ seconds: null });
    expect(await store.taskFor(project, task!.id, 'Ann')).toEqual(task);
    await expect(store.taskFor(project, task!.id, 'Ben')).rejects.toThrow(/Ben has no task/);
  });

  it('measures the pace on verdicts, and not on skips', async () => {
    const { store, project } = await storeWith(await newDatabase(), [pair(0), pair(1)]);
    await using _ = store;
    const one = await store.next(project, 'Ann');
    await store.annotate(one.task!.id, 'Ann', { choice: null, seconds: 1 });
    const two = await store.next(project, 'Ann');
    expect(two.pace).toEqual({ seconds: null });
    await store.annotate(two.task!.id, 'Ann', { choice: 'left', seconds: 20 });
    expect((await store.next(project, 'Ann')).pace).toEqual({ seconds: 20 });
    // A verdict that is taken back is left to be given, and has no time.
    await store.undo(project, 'Ann');
    expect(await store.pace(project, 'Ann')).toEqual({ seconds: null });
    expect(await store.progress(project, 'Ann')).toMatchObject({ mine: 0, skipped: 1, left: 1 });
    await store.annotate(two.task!.id, 'Ann', { choice: 'right', seconds: 40 });
    expect(await store.pace(project, 'Ann')).toEqual({ seconds: 40 });
  });

  it('adds no version after one that the caller has not seen', async () => {
    const { store, project } = await storeWith(await newDatabase(), [pair(0)]);
    await using _ = store;
    const { task } = await store.next(project, 'Ann');
    const say = (choice: 'left' | 'right', known: number) =>
      store.annotate(task!.id, 'Ann', { choice }, { known });
    expect(await say('left', 0)).toBe(1);
    await expect(say('right', 0)).rejects.toThrow(NewerVerdictError);
    expect(await say('right', 1)).toBe(2);
    expect(await store.versions(task!.id, 'Ann')).toHaveLength(2);
  });

  it('turns a verdict from what the person saw to the order of the task', async () => {
    const aspects = [{ key: 'helpful', label: 'Helpful', least: 1, most: 5 }];
    const { store, project } = await storeWith(await newDatabase(), [pair(0)], {
      ...{ overlap: 2, aspects },
    });
    await using _ = store;
    const { task } = await store.next(project, 'Ann', { random: swapped });
    const said: Verdict = {
      ...{ choice: 'left', strength: 3, ratings: { helpful: [5, null] }, seconds: 12 },
      ...{ edit: { answer: 0, text: 'Second, but better' }, comment: 'Clear', flagged: true },
    };
    await store.annotate(task!.id, 'Ann', said);
    const [version] = await store.versions(task!.id, 'Ann');
    expect(version).toMatchObject({
      ...{ choice: 'right', strength: 3, ratings: { helpful: [null, 5] }, order: [1, 0] },
      ...{ edit: { answer: 1, text: 'Second, but better' }, comment: 'Clear', flagged: true },
    });
    // The person finds it as it was given.
    expect((await store.taskFor(project, task!.id, 'Ann')).draft).toMatchObject(said);
    const [line] = await store.history(project, 'Ann');
    expect(line).toMatchObject({ task: task!.id, prompt: 'Question 0?', verdict: said });
    // Both chose what was on their left, and different answers.
    await store.annotate((await store.claim(project, 'Ben', { random: kept }))!, 'Ben', {
      choice: 'left',
    });
    const { kinds, all } = agreementOf(await store.votes(project));
    expect(kinds[0]!.counts).toMatchObject({ left: 1, right: 1 });
    expect(all.left).toMatchObject({ value: 1, count: 2 });
  });

  it('turns ranks', async () => {
    const answers = ['a', 'b', 'c'].map((content) => ({ content }));
    const ranking: TaskInput = { kind: 'ranking', prompt: 'Which?', answers, annotations: [] };
    const { store, project } = await storeWith(await newDatabase(), [ranking]);
    await using _ = store;
    const { task } = await store.next(project, 'Ann', { random: swapped });
    expect(task!.answers).toEqual(['b', 'c', 'a']);
    await store.annotate(task!.id, 'Ann', { choice: 'ranked', ranks: [1, 2, 3] });
    expect(await store.versions(task!.id, 'Ann')).toMatchObject([
      { ranks: [3, 1, 2], order: [1, 2, 0] },
    ]);
    expect((await store.taskFor(project, task!.id, 'Ann')).draft!.ranks).toEqual([1, 2, 3]);
    expect((await store.votes(project)).lines).toMatchObject([{ ranks: [3, 1, 2], first: 1 }]);
  });

  it('draws the order of each person, so that every answer is as often on the left', async () => {
    const people = 8;
    const tasks = 40;
    const { store, project } = await storeWith(await newDatabase(), pairs(tasks), {
      overlap: people,
    });
    await using _ = store;
    const random = resamplingRandom(7);
    const orders = new Map<string, Set<string>>();
    let first = 0;
    for (let person = 0; person < people; person++) {
      for (const task of await annotateAll(
        ...([store, project, `p${person}`, { choice: 'left' }, random] as const),
      )) {
        const [version] = await store.versions(task, `p${person}`);
        orders.set(task, (orders.get(task) ?? new Set()).add(version!.order!.join()));
        if (version!.order![0] === 0) first += 1;
      }
    }
    const draws = people * tasks;
    // Five standard deviations.
    expect(Math.abs(first - draws / 2)).toBeLessThan(2.5 * Math.sqrt(draws));
    // Of eight people, somebody sees the other order.
    expect([...orders.values()].filter(({ size }) => size === 2).length).toBeGreaterThan(35);
  });

  it.each([
    [{ tie: false }, { choice: 'tie' }, /does not offer ties/],
    [{ bothBad: false }, { choice: 'both_bad' }, /does not offer "both bad"/],
    [{}, { choice: 'left', strength: 4 }, /from 1 to 3, found 4/],
    [{}, { choice: 'tie', strength: 1 }, /only a preference/],
    [{ strengths: [] }, { choice: 'left', strength: 1 }, /no strength/],
    [{}, { choice: 'left', ratings: { honest: [1, 2] } }, /no aspect honest.*none/],
    [{}, { choice: 'left', ratings: { honest: [1] } }, /2 answers need 2 ratings/],
    [{}, { choice: 'left', edit: { answer: 2, text: 'x' } }, /answer 0 to 1/],
    [{}, { choice: 'left', edit: { answer: 0, text: ' ' } }, /empty/],
    [{ edits: false }, { choice: 'left', edit: { answer: 0, text: 'x' } }, /edits/],
    [{}, { choice: 'left', ranks: [1, 2] }, /only a ranking/],
  ] as [SettingsPatch, Verdict, RegExp][])('with %o refuses %o', async (given, said, message) => {
    const { store, project } = await storeWith(await newDatabase(), [pair(0)], given);
    await using _ = store;
    const task = (await store.claim(project, 'Ann'))!;
    await expect(store.annotate(task, 'Ann', said)).rejects.toThrow(message);
    expect(await store.versions(task, 'Ann')).toEqual([]);
    expect(await store.taskFor(project, task, 'Ann')).toMatchObject({ state: 'held' });
  });

  it('checks ratings and the best of a ranking by the settings', async () => {
    const answers = ['a', 'b', 'c'].map((content) => ({ content }));
    const ranking: TaskInput = { kind: 'ranking', prompt: 'Which?', answers, annotations: [] };
    const { store, project } = await storeWith(await newDatabase(), [ranking], {
      ranking: 'best',
      aspects: [{ key: 'honest', label: 'Honest', least: 1, most: 5 }],
    });
    await using _ = store;
    const task = (await store.claim(project, 'Ann'))!;
    const best = { choice: 'ranked' as const, ranks: [2, 1, 2] };
    const say = (verdict: Verdict) => store.annotate(task, 'Ann', verdict);
    await expect(say({ ...best, ranks: [3, 1, 2] })).rejects.toThrow(/only for the best/);
    await expect(say({ ...best, ratings: { honest: [1, 6, 2] } })).rejects.toThrow(/from 1 to 5/);
    expect(await say({ ...best, ratings: { honest: [1, null, 5] } })).toBe(1);
  });

  it('gives a skipped task to others, and not to the same person', async () => {
    const { store, project } = await storeWith(await newDatabase(), [pair(0), pair(1)]);
    await using _ = store;
    const first = (await store.claim(project, 'Ann'))!;
    await store.annotate(first, 'Ann', { choice: null, comment: 'Not my field' });
    const second = (await store.claim(project, 'Ann'))!;
    expect(second).not.toBe(first);
    await store.annotate(second, 'Ann', { choice: 'left' });
    const { task, progress } = await store.next(project, 'Ann');
    expect(task).toBeNull();
    expect(progress).toEqual({ mine: 1, skipped: 1, left: 0, done: 1, needed: 2 });
    expect(await annotateAll(store, project, 'Ben')).toEqual([first]);
    expect((await store.next(project, 'Cid')).progress).toMatchObject({ left: 0, done: 2 });
  });

  it('takes a task back without a verdict', async () => {
    const { store, project } = await storeWith(await newDatabase(), [pair(0)]);
    await using _ = store;
    const task = (await store.claim(project, 'Ann'))!;
    await store.release(task, 'Ann');
    await expect(store.release(task, 'Ann')).rejects.toThrow(/has not claimed/);
    expect(await store.claim(project, 'Ben')).toBe(task);
    await store.release(task, 'Ben');
    expect(await store.claim(project, 'Ann')).toBe(task);
    expect(await store.versions(task, 'Ann')).toEqual([]);
  });

  it('gives the last verdict back as a draft, and keeps it until there is a newer one', async () => {
    const { store, project } = await storeWith(await newDatabase(), pairs(3));
    await using _ = store;
    expect(await store.undo(project, 'Ann')).toBeNull();
    const tasks: string[] = [];
    for (const choice of ['left', 'tie'] as const) {
      const { task } = await store.next(project, 'Ann', { random: swapped });
      tasks.push(task!.id);
      await store.annotate(task!.id, 'Ann', { choice });
    }
    const held = (await store.claim(project, 'Ann'))!;
    const undone = (await store.undo(project, 'Ann'))!;
    expect(undone).toMatchObject({ id: tasks[1], state: 'held', draft: { choice: 'tie' } });
    // Once more: the one before.
    expect(await store.undo(project, 'Ann')).toMatchObject({
      ...{ id: tasks[0], answers: ['Second 0', 'First 0'], draft: { choice: 'left', version: 1 } },
    });
    expect((await store.votes(project)).lines).toHaveLength(2);
    // Nobody else gets a reopened task.
    expect(await store.claim(project, 'Ben')).toBeNull();
    expect(await store.annotate(tasks[0]!, 'Ann', { choice: 'right' })).toBe(2);
    await store.release(tasks[1]!, 'Ann');
    expect(await store.taskFor(project, tasks[1]!, 'Ann')).toMatchObject({ state: 'done' });
    expect(await store.claim(project, 'Ann')).toBe(held);
    const versions = await store.versions(tasks[0]!, 'Ann');
    expect(versions.map(({ choice }) => choice)).toEqual(['right', 'left']);
  });

  it('finishes a reopened task again that is held for too long', async () => {
    const { store, project } = await storeWith(await newDatabase(), pairs(2));
    await using _ = store;
    const now = new Date('2026-01-01T00:00:00Z');
    const later = new Date('2026-01-01T00:31:00Z');
    const [done, skipped] = [
      (await store.claim(project, 'Ann', { now }))!,
      await store.annotate((await store.claim(project, 'Ann', { now }))!, 'Ann', { choice: 'tie' }),
    ];
    expect(skipped).toBe(1);
    const other = (await store.claim(project, 'Ann', { now }))!;
    await store.annotate(other, 'Ann', { choice: null });
    for (const task of [done, other]) await store.reopen(task, 'Ann', now);
    // A person who is still at work keeps it.
    await store.renew(other, 'Ann', later);
    expect(await store.claim(project, 'Ben', { now: later })).toBe(other);
    expect(await store.taskFor(project, done, 'Ann')).toMatchObject({ state: 'done' });
    expect(await store.taskFor(project, other, 'Ann')).toMatchObject({ state: 'held' });
    await expect(store.renew(done, 'Ann')).rejects.toThrow(/has finished/);
    await store.release(other, 'Ann');
    expect(await store.taskFor(project, other, 'Ann')).toMatchObject({ state: 'skipped' });
    // A skip can become a verdict, and a verdict a skip, which frees its slot.
    await store.release(other, 'Ben');
    await store.reopen(other, 'Ann');
    await store.annotate(other, 'Ann', { choice: 'left' });
    expect(await store.claim(project, 'Ben')).toBeNull();
    await store.reopen(other, 'Ann');
    await store.annotate(other, 'Ann', { choice: null });
    expect(await store.claim(project, 'Ben')).toBe(other);
    expect(await store.versions(other, 'Ann')).toHaveLength(3);
  });

  it('gives the next task while one is shown', async () => {
    const { store, project } = await storeWith(await newDatabase(), pairs(2));
    await using _ = store;
    const first = (await store.claim(project, 'Ann'))!;
    const second = (await store.claim(project, 'Ann', { besides: [first] }))!;
    expect(second).not.toBe(first);
    expect(await store.claim(project, 'Ann')).toBe(first);
    expect(await store.claim(project, 'Ann', { besides: [first, second] })).toBeNull();
    expect((await store.progress(project, 'Ann')).left).toBe(2);
    expect((await store.progress(project, 'Ben')).left).toBe(0);
  });

  it('mixes gold tasks in at their share, to everybody, and so that nobody can tell', async () => {
    const inputs = [
      ...pairs(90),
      ...pairs(60, { gold }).map((one, at) => ({
        ...one,
        prompt: `Known ${at}?`,
      })),
    ];
    const { store, project } = await storeWith(await newDatabase(), inputs, { goldShare: 0.4 });
    await using _ = store;
    const all = await Array.fromAsync(store.tasks(project));
    const isGold = new Map(all.map(({ id, gold: right }) => [id, right !== null]));
    let left = (await store.next(project, 'Ann')).progress.left;
    const seen: string[] = [];
    for (let count = 0; count < 60; count++) {
      const { task, progress } = await store.next(project, 'Ann');
      // Whatever the task is, the count goes down by one.
      expect(progress).toMatchObject({ left, mine: count });
      left -= 1;
      expect(JSON.stringify(task)).not.toMatch(/gold/i);
      seen.push(task!.id);
      await store.annotate(task!.id, 'Ann', { choice: 'left' });
    }
    const share = seen.filter((id) => isGold.get(id)).length / seen.length;
    // Five standard deviations.
    expect(Math.abs(share - 0.4)).toBeLessThan(5 * Math.sqrt((0.4 * 0.6) / 60));
    // The overlap of 1 does not bound them: Ben sees some that Ann saw.
    const others = await annotateAll(store, project, 'Ben');
    expect(others.some((id) => isGold.get(id) && seen.includes(id))).toBe(true);
    expect(others.some((id) => !isGold.get(id) && seen.includes(id))).toBe(false);
    const { progress } = await store.next(project, 'Ben');
    expect(progress).toMatchObject({ left: 0, done: 90, needed: 90 });
  });

  it('gives all of a project that has nothing but gold', async () => {
    const { store, project } = await storeWith(await newDatabase(), pairs(3, { gold }));
    await using _ = store;
    expect((await store.progress(project, 'Ann')).left).toBe(3);
    expect(await annotateAll(store, project, 'Ann')).toHaveLength(3);
    expect(await annotateAll(store, project, 'Ben')).toHaveLength(3);
    expect((await store.progress(project, 'Ben')).left).toBe(0);
  });

  it('gives tasks by priority, some of them at random, and says why', async () => {
    const tasks = 60;
    const { store, project } = await storeWith(await newDatabase(), pairs(tasks), {
      ...{ order: 'priority', randomShare: 0.3 },
    });
    await using _ = store;
    const ids = (await Array.fromAsync(store.tasks(project))).map(({ id }) => id);
    const priorities = new Map(ids.slice(20).map((id, at) => [id, ((at * 7) % 40) + 1]));
    await store.setPriorities(project, priorities, 'reward-disagreement');
    const random = resamplingRandom(3);
    const order = await annotateAll(store, project, 'Ann', { choice: 'left' }, random);
    expect(new Set(order).size).toBe(tasks);
    const detail = new Map(
      (await Promise.all(order.map((id) => store.taskDetail(id)))).map((one) => [
        one.id,
        one.claims[0]!,
      ]),
    );
    const count = (reason: string): number =>
      [...detail.values()].filter((one) => one.reason === reason).length;
    expect(count('random')).toBeGreaterThan(5);
    expect(count('random')).toBeLessThan(35);
    expect(count('added')).toBeGreaterThan(0);
    const byPriority = order.filter((id) => detail.get(id)!.reason === 'priority');
    const values = byPriority.map((id) => detail.get(id)!.priority);
    expect(values).toEqual(byPriority.map((id) => priorities.get(id)));
    expect(values).toEqual(values.toSorted((a, b) => b! - a!));
    expect(detail.get(byPriority[0]!)).toMatchObject({ prioritySource: 'reward-disagreement' });
    await expect(store.setPriorities(project, new Map([['x', 1]]), 'judge')).rejects.toThrow(
      /1 of 1 tasks are not in this project/,
    );
    await expect(
      store.setPriorities(project, new Map([[ids[0]!, Number.NaN]]), 'judge'),
    ).rejects.toThrow(/is a number/);
  });

  it('gives tasks at random', async () => {
    const { store, project } = await storeWith(await newDatabase(), pairs(40), {
      ...{ order: 'random', overlap: 2 },
    });
    await using _ = store;
    const [ann, ben] = [
      await annotateAll(store, project, 'Ann', { choice: 'left' }, resamplingRandom(1)),
      await annotateAll(store, project, 'Ben', { choice: 'left' }, resamplingRandom(2)),
    ];
    expect(ann.toSorted()).toEqual(ben.toSorted());
    expect(ann).not.toEqual(ben);
    expect(ann).not.toEqual(ann.toSorted());
  });

  it('loses no version, whatever two people do', async () => {
    const { store, project } = await storeWith(await newDatabase(), pairs(6), { overlap: 1 });
    await using _ = store;
    const random = resamplingRandom(11);
    /** What was confirmed, by task and person. */
    const given = new Map<string, (string | null)[]>();
    const held = new Map<string, string>();
    for (let step = 0; step < 120; step++) {
      const person = random() < 0.5 ? 'Ann' : 'Ben';
      const act = random();
      const own = held.get(person);
      if (own === undefined) {
        const task =
          act < 0.6
            ? await store.claim(project, person)
            : ((await store.undo(project, person))?.id ?? null);
        if (task !== null) held.set(person, task);
        continue;
      }
      held.delete(person);
      if (act < 0.2) {
        await store.release(own, person);
        continue;
      }
      const choice = act < 0.4 ? null : act < 0.7 ? 'tie' : 'both_bad';
      const key = `${own} ${person}`;
      const before = given.get(key) ?? [];
      expect(await store.annotate(own, person, { choice })).toBe(before.length + 1);
      given.set(key, [...before, choice]);
    }
    for (const [key, choices] of given) {
      const [task, person] = key.split(' ') as [string, string];
      const versions = await store.versions(task, person);
      expect(versions.map(({ choice }) => choice)).toEqual(choices);
    }
    const newest = [...given].flatMap(([key, all]) =>
      all.at(-1) === null ? [] : [[key, all.at(-1)]],
    );
    const { lines, people, skipped } = await store.votes(project);
    const counted = lines.map((one) => [`${one.task.id} ${people[one.person]}`, one.choice]);
    expect(counted.toSorted()).toEqual(newest.toSorted());
    expect(skipped).toBe(given.size - newest.length);
  });

  it('gives two processes that ask at once different tasks, and draws their sides', async () => {
    const database = await newDatabase();
    {
      const { store } = await storeWith(database, pairs(30), { order: 'random' });
      await using _ = store;
    }
    const program = fileURLToPath(new URL('testing/annotator.ts', import.meta.url));
    const done = await Promise.all(
      ['Ann', 'Ben'].map(async (person) => {
        const child = spawn(process.execPath, [program, database, 'p', person], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const lines: string[] = [];
        createInterface(child.stdout).on('line', (line) => lines.push(line));
        const [code] = await once(child, 'close');
        expect(code).toBe(0);
        return lines;
      }),
    );
    expect(new Set(done.flat()).size).toBe(30);
    expect(done.flat()).toHaveLength(30);
    await using store = await PreferenceStore.open(database);
    const project = await store.project('p');
    expect(await store.progress(project, 'Ann')).toMatchObject({ left: 0, done: 30, needed: 30 });
    const { lines } = await store.votes(project);
    expect(new Set(lines.map(({ first }) => first))).toEqual(new Set([0, 1]));
  });
});
