// Verdicts as rows of the table, and back.
import type { Selectable } from 'kysely';
import type { Adjudication, Edit, NamedVerdict, StoredVerdict, Verdict } from './items.ts';
import type { Choice, Tables } from './schema.ts';
import { storedOrder } from './sides.ts';

/** The columns of a verdict. */
export const rowOf = (verdict: Omit<NamedVerdict, 'person'>, now: string) => ({
  ...settledRow(verdict),
  choice: verdict.choice,
  probability: verdict.probability ?? null,
  flagged: Number(verdict.flagged ?? false),
  seconds: verdict.seconds ?? null,
  guidelines: null as number | null,
  created_at: verdict.at ?? now,
});

/** The columns that a verdict and an adjudication have in common. */
export const settledRow = ({ ranks, strength, ratings, edit, comment }: Verdict) => ({
  ranks: jsonOf(ranks),
  strength: strength ?? null,
  ratings: jsonOf(ratings),
  edit: jsonOf(edit),
  comment: comment ?? null,
});

const jsonOf = (value: object | null | undefined): string | null =>
  value == null ? null : JSON.stringify(value);

export const ranksIn = (text: string | null): number[] | null =>
  text === null ? null : (JSON.parse(text) as number[]);

type Settled = Pick<
  Selectable<Tables['annotations']>,
  'ranks' | 'strength' | 'ratings' | 'edit' | 'comment'
>;

const settledOf = ({ ranks, strength, ratings, edit, comment }: Settled) => ({
  ...{ ranks: ranksIn(ranks), strength, comment },
  ratings: ratings === null ? null : (JSON.parse(ratings) as NonNullable<Verdict['ratings']>),
  edit: edit === null ? null : (JSON.parse(edit) as Edit),
});

/** A stored row as a verdict. */
export const verdictOf = (
  row: Selectable<Tables['annotations']> & { name: string },
  answers: number,
): StoredVerdict => ({
  ...{ person: row.name, version: row.version, choice: row.choice, ...settledOf(row) },
  ...{ probability: row.probability, flagged: row.flagged === 1, seconds: row.seconds },
  ...{ at: row.created_at, order: storedOrder(row.shown_order, row.shown, answers) },
  afterSuggestion: row.after_suggestion === null ? null : row.after_suggestion === 1,
});

/** A stored row as an adjudication. */
export const adjudicationOf = (
  row: Settled & { name: string; version: number; choice: Choice; created_at: string },
): Adjudication => ({
  ...{ person: row.name, version: row.version, choice: row.choice, ...settledOf(row) },
  at: row.created_at,
});
