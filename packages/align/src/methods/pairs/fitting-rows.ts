// Whether rows have what an objective needs of them: asked before a model is loaded.

import { exactJson } from '@keel/model/exact-json';
import { rowBeta, scoreGap } from '../../batching/tokenise-pair.ts';
import type { DataRows } from '../../data/derived-rows.ts';
import type { RefuseRow } from '../../data/open-rows.ts';
import type { PreferenceRow } from '../../data/rows.ts';
import type { PairedObjective, PairedOptions } from '../../objectives/paired.ts';

/** The rows that this objective cannot learn from, and why. */
export function refuseRow(
  { name, needs = [], refuseGap }: PairedObjective,
  options: PairedOptions,
): RefuseRow<PreferenceRow> {
  if (!needs.includes('scoreGap')) return () => null;
  return (row) => {
    const gap = scoreGap(row);
    if (gap === null) {
      return {
        field: 'score_chosen',
        expected: `scores of both answers, which --loss ${name} needs`,
        found: 'a row without them',
        advice:
          'Give "score_chosen" and "score_rejected", or their difference as "margin"; or take an objective that needs none, as --loss sigmoid',
      };
    }
    const expected = refuseGap?.(gap, { ...options }) ?? null;
    if (expected === null) return null;
    const advice = 'Mend the scores, or leave such rows out with --on-bad-row skip';
    return { field: 'score_chosen', expected, found: `a difference of ${gap}`, advice };
  };
}

/** Rows whose own beta is no number above 0. */
export const refuseBeta =
  (field: string | null): RefuseRow<PreferenceRow> =>
  (row) => {
    const beta = rowBeta(row, field);
    if (beta === undefined || (typeof beta === 'number' && Number.isFinite(beta) && beta > 0))
      return null;
    return {
      field: field!,
      expected: 'a number above 0, which --beta-field takes for the beta of the row',
      found: exactJson(beta),
      advice: 'Mend it, or leave it out: a row without it has --beta',
    };
  };

/**
 * What is wrong where no row has a beta of its own: the field's name is likely another; null where
 * one has, or none is asked.
 */
export async function withoutBetas(
  rows: Pick<DataRows<'preference'>, 'files' | 'length' | 'iterate'>,
  field: string | null,
): Promise<Error | null> {
  if (field === null) return null;
  for await (const row of rows.iterate()) if (rowBeta(row, field) !== undefined) return null;
  return new Error(
    `--beta-field ${field}: none of the ${rows.length} rows of ${rows.files.join(', ')} has such a field beside those of prompt, answers and scores; ` +
      'give the name of one that has, or leave it out: all rows have --beta',
  );
}
