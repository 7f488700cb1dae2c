import { describe, expect, it } from 'vitest';
import { agreementOf } from '../agreement/agreement.ts';
import type { TaskInput } from './items.ts';
import { PreferenceStore } from './preference-store.ts';
import { databases } from './testing/databases.ts';

const pair = (at: number): TaskInput => ({
  kind: 'pair',
  prompt: `Question ${at}?`,
  answers: [{ content: `First ${at}` }, { content: `Second ${at}` }],
  annotations: [],
});
/** Draws that leave an order, or swap two answers. */
const [kept, swapped] = [() => 0.99, () => 0];

describe.each(databases)('%s', (_, newDatabase) => {
  it('shows what judges expect after the verdict, by the order that the person saw', async () => {
    await using store = await PreferenceStore.open(await newDatabase());
    const project = await store.openProject('p');
    await store.saveSettings(project, { overlap: 3 });
    await store.addTasks(project, [pair(0)], { random: kept });
    const task = (await store.claim(project, 'Ann', { random: kept }))!;
    await store.saveSuggestions(project, 'first judge', new Map([[task, 0.8]]), { by: 'Eve' });
    await store.saveSuggestions(project, 'second judge', new Map([[task, 0.4]]));
    // A judge that is asked again has one opinion.
    await store.saveSuggestions(project, 'second judge', new Map([[task, 0.3]]));
    expect(await store.suggestedTasks(project, 'second judge')).toEqual(new Set([task]));
    expect(await store.suggestionsFor(task, 'Ann')).toEqual([]);
    const seen = JSON.stringify([
      ...[await store.next(project, 'Ann'), await store.taskFor(project, task, 'Ann')],
      await store.history(project, 'Ann'),
    ]);
    expect(seen).not.toMatch(/judge|0\.8|0\.3/);
    await store.annotate(task, 'Ann', { choice: 'left' });
    expect(await store.suggestionsFor(task, 'Ann')).toEqual([
      { by: 'first judge', left: 0.8 },
      { by: 'second judge', left: 0.3 },
    ]);
    await store.claim(project, 'Ben', { random: swapped });
    await store.annotate(task, 'Ben', { choice: 'left' });
    const [turned] = await store.suggestionsFor(task, 'Ben');
    expect(turned!.left).toBeCloseTo(0.2, 12);
    // Who skips a task, or changes a verdict, has none.
    await store.claim(project, 'Cid');
    await store.annotate(task, 'Cid', { choice: null });
    expect(await store.suggestionsFor(task, 'Cid')).toEqual([]);
    await store.reopen(task, 'Ann');
    expect(await store.suggestionsFor(task, 'Ann')).toEqual([]);
    expect((await store.taskDetail(task)).suggestions).toEqual([
      { by: 'first judge', probability: 0.8 },
      { by: 'second judge', probability: 0.3 },
    ]);
    await store.deleteProject(project);
    await expect(store.suggestionsOf(task)).resolves.toEqual([]);
  });

  it('marks verdicts that follow a suggestion, and finds the ones before it', async () => {
    await using store = await PreferenceStore.open(await newDatabase());
    const project = await store.openProject('p');
    await store.saveSettings(project, { overlap: 4 });
    await store.addTasks(project, [pair(0), pair(1)], { random: kept });
    const [shown, other] = (await store.taskList(project)).tasks.map(({ id }) => id);
    const give = async (task: string, person: string, choice: 'left' | 'right' | 'tie' | null) => {
      const { draft } = await store.taskFor(project, task, person);
      if (draft !== null) await store.reopen(task, person);
      await store.annotate(task, person, { choice });
    };
    for (const person of ['Ann', 'Ben', 'Cid', 'Dan']) {
      for (let at = 0; at < 2; at++) {
        const task = (await store.claim(project, person, { random: kept }))!;
        await give(task, person, person === 'Dan' && task === shown ? null : 'left');
      }
    }
    // Ben changes a verdict without having seen anything; an admin without one sees the task.
    await give(shown!, 'Ben', 'tie');
    const now = new Date('2030-01-01T00:00:00Z');
    for (const person of ['Ann', 'Ben', 'Cid', 'Eve'])
      await store.noteSuggestionsShown(shown!, person, now);
    await give(shown!, 'Ann', 'tie');
    await give(shown!, 'Ann', 'right');
    await give(shown!, 'Cid', null);
    await give(other!, 'Ann', 'right');
    const flags = async (task: string, person: string) =>
      (await store.versions(task, person)).map(({ afterSuggestion }) => afterSuggestion);
    expect(await flags(shown!, 'Ann')).toEqual([false, true, true]);
    expect(await flags(shown!, 'Ben')).toEqual([false, false]);
    expect(await flags(shown!, 'Cid')).toEqual([false, true]);
    expect(await flags(other!, 'Ann')).toEqual([false, false]);
    const said = async (independent: boolean) => {
      const { lines, people, skipped } = await store.votes(project, { independent });
      const own = lines.filter(({ task }) => task.id === shown);
      const votes = own.map(({ person, choice, afterSuggestion }) => [
        ...[people[person], choice, afterSuggestion],
      ]);
      expect(lines.length - own.length).toBe(4);
      return { votes: votes.sort(), skipped };
    };
    expect(await said(false)).toEqual({
      votes: [
        ['Ann', 'right', true],
        ['Ben', 'tie', false],
      ],
      skipped: 2,
    });
    expect(await said(true)).toEqual({
      votes: [
        ['Ann', 'left', false],
        ['Ben', 'tie', false],
        ['Cid', 'left', false],
      ],
      skipped: 1,
    });
    const { all, people } = agreementOf(await store.votes(project));
    expect([all, ...people].map(({ afterSuggestion }) => afterSuggestion)).toEqual([1, 1, 0, 0, 0]);
    const listed = await store.annotations(project, { person: 'Ann' });
    expect(listed.map(({ afterSuggestion }) => afterSuggestion)).toEqual([true, false]);
    // A file's verdict follows the suggestion, unless its time is before that.
    const file = (person: string, at: string | null) => ({
      ...{ ...pair(0), shown: true },
      annotations: [{ person, choice: 'right' as const, at }],
    });
    const times = { Ben: '2029-12-31T23:59:59Z', Cid: '2030-01-01T01:00:00Z', Eve: null };
    const files = Object.entries(times).map(([person, at]) => file(person, at));
    await store.addTasks(project, files, { random: kept });
    expect((await flags(shown!, 'Ben')).at(-1)).toBe(false);
    expect((await flags(shown!, 'Cid')).at(-1)).toBe(true);
    expect(await flags(shown!, 'Eve')).toEqual([true]);
    expect((await said(true)).votes).not.toContainEqual(['Eve', 'right', false]);
  });

  it('refuses what is no chance, and tasks that are no pairs of the project', async () => {
    await using store = await PreferenceStore.open(await newDatabase());
    const project = await store.openProject('p');
    const ranking: TaskInput = { ...pair(0), kind: 'ranking' };
    await store.addTasks(project, [pair(1), ranking], { random: kept });
    const [one, other] = (await store.taskList(project)).tasks.map(({ id }) => id);
    const save = (task: string, value: number, source = 'judge') =>
      store.saveSuggestions(project, source, new Map([[task, value]]));
    await expect(save(one!, 1.5)).rejects.toThrow(/from 0 to 1, found 1.5/);
    await expect(save(other!, 0.5)).rejects.toThrow(/no pairs/);
    await expect(save('none', 0.5)).rejects.toThrow(/no pairs/);
    await expect(save(one!, 0.5, ' ')).rejects.toThrow(/name/);
    expect(await store.suggestionsOf(one!)).toEqual([]);
  });
});
