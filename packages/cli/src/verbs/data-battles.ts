import { counted } from '@keel/align/checking';
import { type Arena, arenaOf, type StoredBattle } from '@keel/studio';
import { lineOf, shownOf } from '../collecting/listing.ts';
import { openStore } from '../collecting/open-store.ts';
import { showTable } from '../collecting/show-table.ts';
import type { DataBattlesOptions } from '../options/data-battles.ts';
import { shellWord } from '../shell-word.ts';
import { say, sayJson } from '../terminal.ts';

export async function run(options: DataBattlesOptions): Promise<number> {
  const { project: name, database, json, styleControl, limit, offset, ...given } = options;
  await using store = await openStore(database);
  const project = await store.project(name);
  const filter = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  );
  const { total, battles } = await store.battles(project, {
    ...{ ...filter, voted: true, limit, offset },
  });
  const arena = await arenaOf(store, project, { styleControl });
  if (json) {
    const { results, ...counts } = arena;
    const ratings = results?.overall.ratings ?? [];
    sayJson({ ...counts, ratings, next: results?.next ?? [], total, listed: battles });
    return 0;
  }
  if (arena.results !== null) showRatings(arena);
  if (battles.length > 0) showBattles(battles);
  say(shownOf(battles.length, total, 'battle', offset));
  if (arena.leaked > 0) say(`${arena.leaked} do not count: an answer names its model or maker`);
  if (total > 0) {
    const project = shellWord(name);
    say(
      `All of them: npx keel data export --project ${project} --to battles --output battles.jsonl`,
    );
  }
  return 0;
}

function showRatings({ results, people }: Arena): void {
  const { ratings } = results!.overall;
  showTable([
    ['model', 'rating', '95% interval', 'battles'],
    ...ratings.map(({ name, rating, interval, battles }) => [
      ...[name, rating.toFixed(0), interval.map((end) => end.toFixed(0)).join(' to ')],
      String(battles),
    ]),
  ]);
  say(`votes of ${counted(people, 'person').replace('persons', 'people')}\n`);
}

const winners = { left: 'left', right: 'right', tie: 'tie', both_bad: 'both bad' } as const;

function showBattles(battles: readonly StoredBattle[]): void {
  showTable(
    [
      ['voted', 'person', 'left', 'right', 'vote', 'drawn', 'prompt'],
      ...battles.map(({ votedAt, person, models, vote, reason, turns, leak }) => [
        ...[votedAt!.slice(0, 10), person, models.left, models.right],
        ...[`${winners[vote!]}${leak === null ? '' : ' (does not count)'}`, reason ?? '-'],
        lineOf(turns[0]?.prompt ?? '', 40),
      ]),
    ],
    7,
  );
}
