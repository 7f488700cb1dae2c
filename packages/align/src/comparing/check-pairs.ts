// Whether pairs have what every objective of a comparison needs of them: asked before a model is loaded.
import type { DpoOptions } from '../config/dpo-options.ts';
import { DataError } from '../data/data-error.ts';
import type { RowSource } from '../data/open-rows.ts';
import { completeOptions } from '../objectives/mixture.ts';
import { pairedObjective } from '../objectives/registry.ts';
import { refuseRow } from '../trainers/fitting-rows.ts';
import type { CompareEntry } from './comparison.ts';

/**
 * Rows that one entry had to leave out would make it another budget: they are errors, whatever --on-bad-row says.
 * @throws Error naming the entries and their first bad row
 */
export async function checkPairs(
  entries: readonly CompareEntry[],
  rows: RowSource<'preference'>,
): Promise<void> {
  const checks = entries.flatMap(({ name, options, objective: { verb, loss } }) =>
    verb === 'kto'
      ? []
      : loss.flatMap((one) => {
          const objective = pairedObjective(one);
          if (!objective.needs?.includes('scoreGap')) return [];
          const own = completeOptions(objective, { ...(options as unknown as DpoOptions) });
          return [{ name, refuse: refuseRow(objective, own) }];
        }),
  );
  if (checks.length === 0) return;
  const faults = new Map<string, DataError>();
  let index = 0;
  for await (const row of rows.iterate()) {
    for (const { name, refuse } of checks) {
      const fault = faults.has(name) ? null : refuse(row);
      if (fault !== null) faults.set(name, new DataError({ ...rows.place(index), ...fault }));
    }
    if (faults.size === checks.length) break;
    index++;
  }
  if (faults.size === 0) return;
  const told = [...faults].map(
    ([name, { message }]) => `the entry ${name} cannot learn from these pairs: ${message}`,
  );
  throw new Error(told.join('\n'));
}
