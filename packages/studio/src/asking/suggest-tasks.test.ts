import type { Judge } from '@keel/align/judges';
import { expect, it } from 'vitest';
import { PreferenceStore } from '../store/preference-store.ts';
import { suggestTasks } from './suggest-tasks.ts';

/** A store with a project "p" of so many pairs. */
async function storeOf(count: number): Promise<PreferenceStore> {
  const store = await PreferenceStore.open(':memory:');
  const project = await store.openProject('p');
  const inputs = Array.from({ length: count }, (_, at) => ({
    ...{ kind: 'pair' as const, prompt: `Question ${at}`, annotations: [] },
    answers: [{ content: 'yes' }, { content: 'no' }],
  }));
  await store.addTasks(project, inputs, { random: () => 0.99 });
  return store;
}

/** @param heard called before each verdict, which is for the first answer */
const judgeOf = (heard: () => void): Judge => ({
  ...{ name: 'first', identity: 'first', concurrency: 8, seesOrder: false },
  compare: async () => {
    heard();
    return { first: 1, tie: 0, exchanges: [], usage };
  },
  [Symbol.asyncDispose]: async () => {},
});

const usage = { promptTokens: 0, answerTokens: 0, cost: 0 };
const options = { again: false, limit: null, by: 'Eve' };

it('is one action of the log, however many pairs the judge is asked about', async () => {
  await using store = await storeOf(50);
  const result = await suggestTasks(
    store,
    'p',
    judgeOf(() => {}),
    options,
  );
  expect(result).toMatchObject({ saved: 50, interrupted: false });
  const { actions } = await store.actions({ action: 'suggestions added' });
  expect(actions).toMatchObject([
    { person: 'Eve', project: 'p', details: { source: 'first', tasks: 50 } },
  ]);
});

it('is one action also if the judge breaks off, and what was saved stays', async () => {
  await using store = await storeOf(50);
  let calls = 0;
  const judge = judgeOf(() => {
    calls += 1;
    if (calls > 40) throw new Error('no answer');
  });
  await expect(suggestTasks(store, 'p', judge, options)).rejects.toThrow('no answer');
  const { actions } = await store.actions({ action: 'suggestions added' });
  expect(actions.map(({ details }) => details.tasks)).toEqual([40]);
});

it('says that it was interrupted, also among the last pairs', async () => {
  await using store = await storeOf(4);
  const stop = new AbortController();
  const judge = judgeOf(() => stop.abort());
  const hooks = { signal: stop.signal };
  expect(await suggestTasks(store, 'p', judge, options, hooks)).toMatchObject({
    interrupted: true,
  });
});
