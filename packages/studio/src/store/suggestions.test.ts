import { describe, expect, it } from 'vitest';
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
