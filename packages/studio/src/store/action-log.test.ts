import { describe, expect, it } from 'vitest';
import { People } from '../people/people.ts';
import { PreferenceStore } from './preference-store.ts';
import { databases } from './testing/databases.ts';

describe.each(databases)('%s', (_, newDatabase) => {
  it('notes what admins did to projects, and keeps it when they are gone', async () => {
    await using store = await PreferenceStore.open(await newDatabase());
    const project = await store.openProject('one', 'Eve');
    await store.openProject('one', 'Ann');
    await store.saveSettings(project, { overlap: 2, tie: true }, 'Eve');
    await store.saveSettings(project, { overlap: 2 }, 'Ann');
    await store.saveGuidelines(project, 'Be kind', 'Eve');
    await store.saveGuidelines(project, 'Be kind', 'Ann');
    const pair = { kind: 'pair' as const, prompt: 'Q', annotations: [] };
    await store.addTasks(project, [{ ...pair, answers: [{ content: 'a' }, { content: 'b' }] }], {
      random: () => 0,
    });
    const { tasks } = await store.taskList(project);
    await store.setPriorities(project, new Map([[tasks[0]!.id, 2]]), 'me');
    await store.renameProject(project, 'two', 'Eve');
    await store.renameProject(project, 'two', 'Ann');
    await expect(store.saveSettings(project, { overlap: 0 }, 'Ann')).rejects.toThrow(/overlap/);
    await store.deleteProject(project, 'Eve');
    const { total, actions } = await store.actions();
    expect(total).toBe(6);
    expect(actions.map(({ action, person, project: name }) => [action, person, name])).toEqual([
      ['project deleted', 'Eve', 'two'],
      ['project renamed', 'Eve', 'two'],
      ['priorities set', null, 'one'],
      ['guidelines changed', 'Eve', 'one'],
      ['settings changed', 'Eve', 'one'],
      ['project created', 'Eve', 'one'],
    ]);
    expect(actions.map(({ details }) => details)).toEqual([
      { tasks: 1, verdicts: 0, battles: 0 },
      { from: 'one' },
      { source: 'me', tasks: 1 },
      { version: 1 },
      { overlap: { from: 1, to: 2 } },
      {},
    ]);
    const page = await store.actions({ project: 'one', person: 'Eve', limit: 1, offset: 1 });
    expect(page).toMatchObject({ total: 3, actions: [{ action: 'settings changed' }] });
    expect(await store.actions({ action: 'person invited' })).toEqual({ total: 0, actions: [] });
  });

  it('notes who may sign in, without codes and passwords', async () => {
    await using store = await PreferenceStore.open(await newDatabase());
    const project = await store.openProject('p', 'Owner');
    const people = await People.open(store, {
      ...{ key: 'a-key-for-tests-only', owner: 'Owner', url: 'http://127.0.0.1:1' },
    });
    const wanted = { name: 'Ann', role: 'annotator' as const, projects: [project] };
    const { code } = await people.invite(wanted, 'Owner');
    const other = await people.invite({ ...wanted, name: null }, 'Owner');
    await people.withdraw(other.id, 'Owner');
    await people.withdraw(other.id, 'Owner');
    await people.join(code, 'Ann', 'a long password');
    const { id } = (await people.members()).find(({ name }) => name === 'Ann')!;
    await people.change(id, { role: 'admin' }, 'Owner');
    await people.change(id, { role: 'admin', projects: [] }, 'Owner');
    await people.change(id, { disabled: true }, 'Owner');
    await people.change(id, { disabled: false }, 'Owner');
    const { actions } = await store.actions();
    expect(actions.map(({ action, person, details }) => [action, person, details])).toEqual([
      ['person restored', 'Owner', { name: 'Ann' }],
      ['person removed', 'Owner', { name: 'Ann' }],
      ['projects changed', 'Owner', { name: 'Ann', projects: [] }],
      ['role changed', 'Owner', { name: 'Ann', from: 'annotator', to: 'admin' }],
      ['person joined', 'Ann', { role: 'annotator' }],
      ['invitation withdrawn', 'Owner', { name: null, role: 'annotator' }],
      ['person invited', 'Owner', { name: null, role: 'annotator', projects: ['p'] }],
      ['person invited', 'Owner', { name: 'Ann', role: 'annotator', projects: ['p'] }],
      ['project created', 'Owner', {}],
    ]);
    expect(JSON.stringify(actions)).not.toContain(code);
    expect(JSON.stringify(actions)).not.toContain('a long password');
  });
});
