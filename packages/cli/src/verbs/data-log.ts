import { actionText } from '@keel/studio';
import { shownOf } from '../collecting/listing.ts';
import { openStore } from '../collecting/open-store.ts';
import type { DataLogOptions } from '../options/data-log.ts';
import { say, sayJson, styled } from '../terminal.ts';

export async function run(options: DataLogOptions): Promise<number> {
  const { database, json, limit, offset, ...filter } = options;
  await using store = await openStore(database);
  const given = Object.entries(filter).filter(([, value]) => value !== undefined);
  const { total, actions } = await store.actions({
    ...Object.fromEntries(given),
    ...{ limit, offset },
  });
  if (json) {
    sayJson({ total, actions });
    return 0;
  }
  for (const { at, person, action, project, details } of actions) {
    const where = project === null ? '' : ` (project ${project})`;
    say(
      `${at.slice(0, 16).replace('T', ' ')}  ${person ?? 'a program'}: `,
      styled('bold', action),
      where,
    );
    const text = actionText(details);
    if (text !== '') say(`    ${text}`);
  }
  say(shownOf(actions.length, total, 'action', offset));
  return 0;
}
