// All rows that training would refuse, grouped by what is wrong with them.
import { type DataError, placeName } from '../data/data-error.ts';
import { identicalAnswers } from '../data/finish-row.ts';

/** A row that training would refuse. */
export interface RowError {
  /** Such as `pairs.jsonl:17`. */
  place: string;
  /** null for the row as a whole. */
  field: string | null;
  /** What was expected, if known, and what was found. */
  cause: string;
  /** What to do about it, or null. */
  advice: string | null;
}

/** Rows with the same fault. */
export interface ErrorGroup {
  field: string | null;
  /** As in the first of them. */
  cause: string;
  advice: string | null;
  count: number;
  first: string;
}

export interface ErrorFacts {
  count: number;
  /** The most frequent first. */
  groups: ErrorGroup[];
  /** In the order of the rows, up to the requested number. */
  rows: RowError[];
  /** Pairs whose answers are the same, which are among them. */
  identicalAnswers: number;
}

/** Most distinct faults to count separately; further ones differ only in quoted values. */
const MOST_GROUPS = 1000;

export class ErrorList {
  readonly #most: number;
  readonly #groups = new Map<string, ErrorGroup>();
  readonly #rows: RowError[] = [];
  #count = 0;
  #identical = 0;

  /** @param most errors that are listed; all are counted */
  constructor(most: number) {
    this.#most = most;
  }

  add(fault: DataError): void {
    const { field = null, expected, found, advice = null } = fault;
    this.#count++;
    if (found === identicalAnswers) this.#identical++;
    const cause = expected === undefined ? found : `expected ${expected}, found ${found}`;
    const error = { place: placeName(fault), field, cause, advice };
    if (this.#rows.length < this.#most) this.#rows.push(error);
    const plainField = field?.replaceAll(/\[\d+\]/g, '[]') ?? null;
    const key = JSON.stringify([plainField, withoutValues(expected ?? found)]);
    const group = this.#groups.get(key);
    if (group !== undefined) group.count++;
    else if (this.#groups.size < MOST_GROUPS) {
      const { place, ...own } = error;
      this.#groups.set(key, { ...own, field: plainField, count: 1, first: place });
    }
  }

  facts(): ErrorFacts {
    return {
      count: this.#count,
      groups: [...this.#groups.values()].toSorted((a, b) => b.count - a.count),
      rows: this.#rows,
      identicalAnswers: this.#identical,
    };
  }
}

/** Quoted values and numbers differ from row to row. */
const withoutValues = (text: string): string => text.replaceAll(/"[^"]*"|\d+/g, '…');
