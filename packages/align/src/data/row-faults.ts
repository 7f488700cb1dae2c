// Faults of rows that appear only when a row is tokenised.
import { ChatTemplateError } from '@keel/model';
import { DataError, type Place } from './data-error.ts';

/**
 * Converts an error of the chat template to a fault of the row at this place. Any other error stays
 * as it is, since the row did not cause it.
 * @param advice what to do about it
 */
export function atRow(cause: unknown, place: Place, advice?: string): unknown {
  if (!(cause instanceof ChatTemplateError)) return cause;
  return new DataError({ ...place, found: cause.message, ...(advice && { advice }) }, { cause });
}

/**
 * Tokenises a row.
 * @throws what `make` throws, with errors of the chat template converted by {@link atRow}
 */
export function tokenisedAt<Made>(place: Place, make: () => Made): Made {
  try {
    return make();
  } catch (error) {
    throw atRow(error, place);
  }
}

/** Tokenises rows one by one and skips bad ones on request. */
export class RowFaults {
  readonly #skips: boolean;
  readonly #found = new Map<string, string>();

  constructor(onBadRow: 'fail' | 'skip') {
    this.#skips = onBadRow === 'skip';
  }

  /** Number of rows skipped so far. */
  get count(): number {
    return this.#found.size;
  }

  /** The fault of the first skipped row, or null. */
  get first(): string | null {
    const [first = null] = this.#found.values();
    return first;
  }

  /**
   * @param place of the row: a row with several faults counts once
   * @returns the result of `make`, or undefined for a bad row that is skipped
   * @throws DataError for a bad row unless bad rows are skipped, and any other error of `make`
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

  /** @throws the fault unless bad rows are skipped */
  leaveOut(fault: DataError): void {
    if (!this.#skips) throw fault;
    const { file, line, row } = fault;
    this.#found.set(JSON.stringify([file, line ?? row]), fault.message);
  }

  /** A sentence about the skipped rows, or null if there are none. */
  notice(): string | null {
    if (this.count === 0) return null;
    const rows = this.count === 1 ? '1 bad row' : `${this.count} bad rows`;
    return `${rows} skipped. First fault: ${this.first}`;
  }
}
