// Battles in the store, their ratings, and their rows in `keel rate`.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RatingOptions, rateBattles, readBattles } from '@keel/evaluate/rating';
import { resamplingRandom } from '@keel/statistics';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportProject } from '../exporting/export-project.ts';
import { importFiles } from '../importing/import-files.ts';
import { PreferenceStore } from '../store/preference-store.ts';
import type { BattleVote } from '../store/schema.ts';
import { databases } from '../store/testing/databases.ts';
import { arenaOf } from './arena.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-arena-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Draws that leave the order of two models, or swap it. */
const [kept, swapped] = [() => 0.99, () => 0];

const turn = (left: string, right: string, prompt = 'Why?') => ({ prompt, left, right });

/** Battles in which the better of three models wins three of four times. */
async function fought(store: PreferenceStore, project: string, count: number): Promise<void> {
  const models = ['best', 'middle', 'worst'];
  const random = resamplingRandom(3);
  for (let at = 0; at < count; at++) {
    const pair = [models[at % 3]!, models[(at + 1) % 3]!] as const;
    const person = at % 2 === 0 ? 'Ann' : 'Ben';
    const { id } = await store.startBattle(project, person, pair, { random });
    await store.addTurn(id, person, turn(`**Left** ${at}`, `Right ${'.'.repeat(at)}`));
    const { battles } = await store.battles(project, { limit: 1 });
    const { left, right } = battles[0]!.models;
    const better: BattleVote = models.indexOf(left) < models.indexOf(right) ? 'left' : 'right';
    const worse = better === 'left' ? 'right' : 'left';
    const vote = at % 10 === 9 ? 'tie' : Math.floor(at / 3) % 4 === 3 ? worse : better;
    await store.voteBattle(id, person, { vote, seconds: 5 });
  }
}

describe.each(databases)('%s', (_, newDatabase) => {
  it('tells who is who after the vote, and counts one vote', async () => {
    await using store = await PreferenceStore.open(await newDatabase());
    const project = await store.openProject('arena');
    const start = await store.startBattle(project, 'Ann', ['one', 'two'], {
      ...{ random: swapped, category: 'chat' },
    });
    expect(start).toMatchObject({ project, category: 'chat', turns: [], vote: null, models: null });
    const { id } = start;
    const vote = (given: BattleVote, person = 'Ann') =>
      store.voteBattle(id, person, { vote: given, comment: 'Clear', seconds: 4 });
    await expect(vote('left')).rejects.toThrow(/no answers yet/);
    await expect(store.addTurn(id, 'Ben', turn('a', 'b'))).rejects.toThrow(/Ben has no battle/);
    await expect(store.addTurn(id, 'Ann', turn('a', 'b', ' '))).rejects.toThrow(/empty/);
    await store.addTurn(id, 'Ann', turn('a', 'b'));
    // Answers to an older state of the conversation do not belong behind the newest turn.
    await expect(store.addTurn(id, 'Ann', turn('c', 'd'), { known: 0 })).rejects.toThrow(
      /has 1 turns, and not 0/,
    );
    const view = await store.addTurn(id, 'Ann', turn('aa', 'bb', 'And then?'), { known: 1 });
    expect(view.turns).toEqual([turn('a', 'b'), turn('aa', 'bb', 'And then?')]);
    expect(JSON.stringify(view)).not.toMatch(/one|two/);
    expect(await store.battleFor(id, 'Ann')).toEqual(view);
    await expect(vote('left', 'Ben')).rejects.toThrow(/Ben has no battle/);
    await expect(vote('up' as BattleVote)).rejects.toThrow(/a vote is left, right/);
    expect(await vote('left')).toMatchObject({
      ...{ vote: 'left', models: { left: 'two', right: 'one' } },
    });
    await expect(vote('right')).rejects.toThrow(/has a vote already/);
    await expect(store.addTurn(id, 'Ann', turn('c', 'd'))).rejects.toThrow(/Start another/);
    const { total, battles } = await store.battles(project, { model: 'one', voted: true });
    expect(total).toBe(1);
    expect(battles[0]).toMatchObject({
      ...{ person: 'Ann', comment: 'Clear', seconds: 4, leak: null, vote: 'left' },
    });
    await expect(store.startBattle(project, 'Ann', ['one', 'one'])).rejects.toThrow(/two models/);
    await expect(store.startBattle('none', 'Ann', ['one', 'two'])).rejects.toThrow(/no project/);
  });

  it('stores the beginning of a long leak', async () => {
    await using store = await PreferenceStore.open(await newDatabase());
    const project = await store.openProject('arena');
    const name = `model-${'x1'.repeat(4000)}`;
    const { id } = await store.startBattle(project, 'Ann', [name.slice(0, 900), 'two']);
    await store.addTurn(id, 'Ann', turn(`I am ${name.slice(0, 900)}.`, 'b'));
    await store.voteBattle(id, 'Ann', { vote: 'left' });
    const { battles } = await store.battles(project);
    expect(battles[0]!.leak).toHaveLength(200);
    expect(name).toContain(battles[0]!.leak!.slice(-100));
  });

  it('counts how often models met, and keeps why', async () => {
    await using store = await PreferenceStore.open(await newDatabase());
    const project = await store.openProject('arena');
    const why = { reason: 'information', gain: 0.25, random: kept } as const;
    const { id } = await store.startBattle(project, 'Ann', ['one', 'two'], why);
    const view = await store.addTurn(id, 'Ann', turn('a', 'b'));
    // Before the vote, the gain would say something about the models.
    expect(JSON.stringify(view)).not.toMatch(/information|0\.25/);
    const [before, later] = [new Date(Date.now() - 1000), new Date(Date.now() + 60_000)];
    const open = [{ left: 'one', right: 'two', vote: null, count: 1 }];
    expect(await store.battleCounts(project, before)).toEqual(open);
    expect(await store.battleCounts(project, later)).toEqual([]);
    await store.voteBattle(id, 'Ann', { vote: 'tie' });
    const leaky = await store.startBattle(project, 'Ann', ['one', 'two'], { random: kept });
    await store.addTurn(leaky.id, 'Ann', turn('I am Claude.', 'b'));
    await store.voteBattle(leaky.id, 'Ann', { vote: 'left' });
    expect(await store.battleCounts(project, later)).toEqual([{ ...open[0]!, vote: 'tie' }]);
    const { battles } = await store.battles(project);
    expect(battles.map(({ reason, gain }) => [reason, gain])).toEqual([
      [null, null],
      ['information', 0.25],
    ]);
  });

  it('rates models, without battles whose answers say who wrote them', async () => {
    await using store = await PreferenceStore.open(await newDatabase());
    const project = await store.openProject('arena');
    expect(await arenaOf(store, project)).toMatchObject({ results: null, battles: 0, leaked: 0 });
    await fought(store, project, 60);
    for (const answer of ['I am ChatGPT by OpenAI.', 'I was trained by Google.']) {
      const { id } = await store.startBattle(project, 'Cid', ['worst', 'best'], { random: kept });
      await store.addTurn(id, 'Cid', turn(answer, 'Something else'));
      await store.voteBattle(id, 'Cid', { vote: 'left' });
    }
    // Without a vote.
    await store.startBattle(project, 'Cid', ['worst', 'best']);
    const arena = await arenaOf(store, project);
    expect(arena).toMatchObject({ battles: 60, ties: 6, leaked: 2, people: 2 });
    expect(arena.left.decided).toBe(54);
    const { overall, pairs } = arena.results!;
    expect(overall.ratings.map(({ name }) => name)).toEqual(['best', 'middle', 'worst']);
    for (const { rating, interval } of overall.ratings) {
      expect(interval[0]).toBeLessThan(rating);
      expect(interval[1]).toBeGreaterThan(rating);
    }
    expect(pairs.battles[0]).toEqual([0, 20, 20]);
    const { total } = await store.battles(project, { leaked: true });
    expect(total).toBe(2);
    // Styles are counted once, and then read.
    const styled = await arenaOf(store, project, { styleControl: true });
    expect(styled.results!.overall.coefficients).toHaveLength(4);
    const voted = await Array.fromAsync(store.votedBattles(project));
    expect(voted.filter(({ styles }) => styles !== null)).toHaveLength(60);
    expect(voted[0]!.styles).toMatchObject({ left: { bold: 1 }, right: { bold: 0 } });
    expect(await arenaOf(store, project, { styleControl: true })).toEqual(styled);
  });

  it('writes rows that keel rate and keel data import read', async () => {
    await using store = await PreferenceStore.open(await newDatabase());
    const project = await store.openProject('arena');
    const output = join(folder, `${crypto.randomUUID()}.jsonl`);
    const options = { project: 'arena', to: 'battles', labels: 'majority', output } as const;
    const more = { overwrite: false, minVotes: 0 };
    await expect(exportProject(store, { ...options, ...more })).rejects.toThrow(/no votes/);
    await fought(store, project, 24);
    const { id } = await store.startBattle(project, 'Ann', ['best', 'worst']);
    await store.addTurn(id, 'Ann', turn('I am Claude.', 'Hm'));
    await store.voteBattle(id, 'Ann', { vote: 'right' });
    const summary = await exportProject(store, { ...options, ...more });
    expect(summary).toMatchObject({
      ...{ tasks: 25, written: 24, skipped: { 'an answer names its model or maker': 1 } },
    });
    expect(readFileSync(output, 'utf8').split('\n')).toHaveLength(25);
    const read = await readBattles({
      ...{ files: [output], columns: null, onBadRow: 'fail', only: [], exclude: [], by: null },
      // Two people are too few to be clusters.
      ...{ cluster: null, styleControl: true },
    });
    expect(read).toMatchObject({ rows: 24, ties: 2, judges: { Ann: 12, Ben: 12 } });
    const settings: RatingOptions = {
      ...{ anchor: null, intervals: 'sandwich', resamples: 1, seed: 1, balancePairs: null },
      ...{ prior: 400, elo: null, next: 0 },
    };
    const arena = await arenaOf(store, project, { styleControl: true, next: 0 });
    expect(rateBattles(read, settings).overall).toEqual(arena.results!.overall);
    const imported = await importFiles(store, {
      ...{ files: [output], from: 'auto', columns: null, onBadRow: 'fail', person: 'file' },
      ...{ question: null, score: null, project: 'tasks', overlap: 1, gold: false, seed: 1 },
      guidelines: null,
    });
    expect(imported).toMatchObject({ tasks: 24, annotations: 24 });
    await store.deleteProject(project);
    expect(await store.projects()).toEqual(['tasks']);
  });
});
