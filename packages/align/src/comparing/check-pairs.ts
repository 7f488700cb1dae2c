// Checks that pairs have the fields that every objective of a comparison needs, before a model is
// loaded.

import { DataError } from '../data/data-error.ts';
import type { RowSource } from '../data/open-rows.ts';
import { lossParts } from '../methods/pairs/chosen-objective.ts';
import type { DpoOptions } from '../methods/pairs/dpo-options.ts';
import {
  refuseBeta,
  refuseRow,
  refuseSoftLabel,
  withoutBetas,
} from '../methods/pairs/fitting-rows.ts';
import type { CompareEntry } from './comparison.ts';

/**
 * If one entry had to skip rows, it would train on a different budget: such rows are errors,
 * whatever --on-bad-row says.
 * @throws Error that names the entries and their first bad row
 */
export async function checkPairs(
  entries: readonly CompareEntry[],
  rows: RowSource<'preference'>,
): Promise<void> {
  const checks = entries.flatMap(({ name, options, objective: { verb, loss } }) => {
    if (verb === 'kto') return [];
    const pairOptions = options as unknown as DpoOptions;
    const parts = lossParts({ ...pairOptions, loss: [...loss] });
    const { betaField } = pairOptions;
    const refusals = [
      ...parts.flatMap(({ objective, options: own }) =>
        objective.needs?.includes('scoreGap') ? [refuseRow(objective, own)] : [],
      ),
      ...(betaField === null ? [] : [refuseBeta(betaField)]),
      ...(parts.every(({ objective }) => objective.softLabels)
        ? []
        : [refuseSoftLabel(parts.map(({ objective }) => objective))]),
    ];
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
  const messages = [...faults].map(
    ([name, { message }]) => `entry ${name} cannot be trained on these pairs: ${message}`,
  );
  throw new Error(messages.join('\n'));
}
