// Checks, before a model is loaded, whether rows have what an objective needs.

import { exactJson } from '@keel/model/exact-json';
import { rowBeta, scoreGap } from '../../batching/tokenise-pair.ts';
import type { DataRows } from '../../data/derived-rows.ts';
import { isSoft } from '../../data/label-probability.ts';
import type { RefuseRow } from '../../data/open-rows.ts';
import type { PreferenceRow } from '../../data/rows.ts';
import type { PairedObjective, PairedOptions } from '../../objectives/paired.ts';
import { pairedObjectives } from '../../objectives/registry.ts';

/** Why the objective cannot be trained on a row. */
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
          'Add "score_chosen" and "score_rejected", or their difference as "margin". Or use an objective without scores, such as --loss sigmoid',
      };
    }
    const expected = refuseGap?.(gap, { ...options }) ?? null;
    if (expected === null) return null;
    const advice = 'Fix the scores, or skip such rows with --on-bad-row skip';
    return { field: 'score_chosen', expected, found: `a difference of ${gap}`, advice };
  };
}

/** Why objectives cannot be trained on pairs whose label is uncertain. */
export function refuseSoftLabel(
  objectives: readonly Pick<PairedObjective, 'name' | 'softLabels'>[],
): RefuseRow<PreferenceRow> {
  const hard = objectives.find(({ softLabels }) => !softLabels);
  if (hard === undefined) return () => null;
  return ({ label_probability: probability }) =>
    isSoft(probability)
      ? {
          field: 'label_probability',
          expected: `pairs with certain labels for --loss ${hard.name}`,
          found: String(probability),
          advice: `Remove the field, or use an objective that supports it: ${softNames.join(', ')}`,
        }
      : null;
}

const softNames: readonly string[] = (pairedObjectives as readonly PairedObjective[])
  .filter(({ softLabels }) => softLabels)
  .map(({ name }) => name);

/** Why a row's own beta cannot be used. */
export const refuseBeta =
  (field: string | null): RefuseRow<PreferenceRow> =>
  (row) => {
    const beta = rowBeta(row, field);
    if (beta === undefined || (typeof beta === 'number' && Number.isFinite(beta) && beta > 0))
      return null;
    return {
      field: field!,
      expected: 'a number above 0, which --beta-field makes the beta of the row',
      found: exactJson(beta),
      advice: 'Fix it, or remove it: a row without it has --beta',
    };
  };

/**
 * An error where no row has its own beta, since the field is probably named differently; null where
 * a row has one, or none is asked for.
 */
export async function withoutBetas(
  rows: Pick<DataRows<'preference'>, 'files' | 'length' | 'iterate'>,
  field: string | null,
): Promise<Error | null> {
  if (field === null) return null;
  for await (const row of rows.iterate()) if (rowBeta(row, field) !== undefined) return null;
  return new Error(
    `--beta-field ${field}: none of the ${rows.length} rows of ${rows.files.join(', ')} has this field in addition to those of prompt, answers and scores. ` +
      'Pass the name of a field that exists, or omit the option: then all rows have --beta',
  );
}
