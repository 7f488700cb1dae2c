// Whether pairs have what every objective of a comparison needs of them: asked before a model is
// loaded.

import { DataError } from '../data/data-error.ts';
import type { RowSource } from '../data/open-rows.ts';
import { lossParts } from '../methods/pairs/chosen-objective.ts';
import type { DpoOptions } from '../methods/pairs/dpo-options.ts';
import { refuseBeta, refuseRow, withoutBetas } from '../methods/pairs/fitting-rows.ts';
import type { CompareEntry } from './comparison.ts';

/**
 * Rows that one entry had to leave out would make it another budget: they are errors, whatever
 * --on-bad-row says.
 * @throws Error naming the entries and their first bad row
 */
export async function checkPairs(
  entries: readonly CompareEntry[],
  rows: RowSource<'preference'>,
): Promise<void> {
  const checks = entries.flatMap(({ name, options, objective: { verb, loss } }) => {
    if (verb === 'kto') return [];
    const pairOptions = options as unknown as DpoOptions;
    const scored = lossParts({ ...pairOptions, loss: [...loss] }).flatMap(
      ({ objective, options: own }) =>
        objective.needs?.includes('scoreGap') ? [refuseRow(objective, own)] : [],
    );
    const { betaField } = pairOptions;
    const refusals = betaField === null ? scored : [...scored, refuseBeta(betaField)];
    return refusals.map((refuse) => ({ name, betaField, refuse }));
  });
  if (checks.length === 0) return;
  const faults = new Map<string, Error>();
  let index = 0;
  for await (const row of rows.iterate()) {
    for (const { name, refuse } of checks) {
      const fault = faults.has(name) ? null : refuse(row);
      if (fault !== null) faults.set(name, new DataError({ ...rows.place(index), ...fault }));
    }
    if (checks.every(({ name }) => faults.has(name))) break;
    index++;
  }
  for (const { name, betaField } of checks) {
    if (faults.has(name)) continue;
    const fault = await withoutBetas(rows, betaField);
    if (fault !== null) faults.set(name, fault);
  }
  if (faults.size === 0) return;
  const told = [...faults].map(
    ([name, { message }]) => `the entry ${name} cannot learn from these pairs: ${message}`,
  );
  throw new Error(told.join('\n'));
}
