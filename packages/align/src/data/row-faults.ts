// Faults of rows that show only once a row becomes tokens.
import { ChatTemplateError } from '@keel/model';
import { DataError, type Place } from './data-error.ts';

/**
 * An error of the chat template as a fault of the row at this place; any other error as it is,
 * since the row is not to blame.
 * @param advice what to do about it
 */
export function atRow(cause: unknown, place: Place, advice?: string): unknown {
  if (!(cause instanceof ChatTemplateError)) return cause;
  return new DataError({ ...place, found: cause.message, ...(advice && { advice }) }, { cause });
}

/**
 * Runs what tokenises a row. @throws what `make` throws, an error of the chat template as {@link
 * atRow} tells it
 */
export function tokenisedAt<Made>(place: Place, make: () => Made): Made {
  try {
    return make();
  } catch (error) {
    throw atRow(error, place);
  }
}

/** Tokenises rows one by one, and leaves out bad ones where that was asked for. */
export class RowFaults {
  readonly #skips: boolean;
  readonly #found = new Map<string, string>();

  constructor(onBadRow: 'fail' | 'skip') {
    this.#skips = onBadRow === 'skip';
  }

  /** Rows left out so far. */
  get count(): number {
    return this.#found.size;
  }

  /** What is wrong with the first row that was left out; null where there is none. */
  get first(): string | null {
    const [first = null] = this.#found.values();
    return first;
  }

  /**
   * @param place of the row: one that is bad twice counts once
   * @returns what `make` gives; undefined for a bad row that is left out
   * @throws DataError for a bad row where they are not left out; whatever else `make` throws
   */
  take<Made>(place: Place, make: () => Made): Made | undefined {
    try {
      return tokenisedAt(place, make);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      this.leaveOut(error);
      return undefined;
    }
  }

  /** @throws the fault where bad rows are not left out */
  leaveOut(fault: DataError): void {
    if (!this.#skips) throw fault;
    const { file, line, row } = fault;
    this.#found.set(JSON.stringify([file, line ?? row]), fault.message);
  }

  /** A sentence on the rows left out; null where there are none. */
  notice(): string | null {
    if (this.count === 0) return null;
    const rows = this.count === 1 ? '1 bad row is' : `${this.count} bad rows are`;
    return `${rows} left out, the first: ${this.first}`;
  }
}
