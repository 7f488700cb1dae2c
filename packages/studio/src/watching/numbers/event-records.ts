// TFRecords of a TensorBoard event file, read while another process writes it: for each, its
// length, the length's checksum, the data, and the data's checksum.
import { closeSync, fstatSync, openSync } from 'node:fs';
import { maskedCrc32c } from '@keel/align/runs';
import { bytesAt } from './appended-lines.ts';

/** A longer record is taken for damage. */
const LONGEST = 256e6;
const HEAD = 12;
const TAIL = 4;

/** Records of a file. */
export interface EventRecords {
  records: { data: Uint8Array; offset: number }[];
  /** Where the next record starts. */
  next: number;
  /** Damage, a sentence each. */
  faults: string[];
  /** Bytes of a last record that is not whole: it is being written, or its writer was killed. */
  incomplete: number;
  /** Nothing after a damaged length can be read. */
  stopped: boolean;
}

/**
 * The records after an offset. A record with a wrong checksum is skipped and reported.
 * @param offset as `next` of an earlier call
 */
export function eventRecords(path: string, offset: number): EventRecords {
  const found: EventRecords = {
    ...{ records: [], next: offset, faults: [], incomplete: 0, stopped: false },
  };
  const descriptor = openSync(path, 'r');
  try {
    const { size } = fstatSync(descriptor);
    // Events files are small next to memory, and only what was added is read.
    const bytes = bytesAt(descriptor, offset, Math.max(0, size - offset));
    let at = 0;
    for (;;) {
      const left = bytes.length - at;
      if (left < HEAD) break;
      const length = Number(bytes.readBigUInt64LE(at));
      const checked = maskedCrc32c(bytes.subarray(at, at + 8)) === bytes.readUInt32LE(at + 8);
      if (!checked || length > LONGEST) {
        found.faults.push(
          `the length of the record at byte ${offset + at} is damaged, so nothing after it can be read`,
        );
        found.stopped = true;
        break;
      }
      if (left < HEAD + length + TAIL) break;
      const data = bytes.subarray(at + HEAD, at + HEAD + length);
      if (maskedCrc32c(data) === bytes.readUInt32LE(at + HEAD + length)) {
        found.records.push({ data, offset: offset + at });
      } else {
        found.faults.push(
          `the record at byte ${offset + at} has a wrong checksum, so it is skipped`,
        );
      }
      at += HEAD + length + TAIL;
    }
    found.next = offset + at;
    if (!found.stopped) found.incomplete = bytes.length - at;
    return found;
  } finally {
    closeSync(descriptor);
  }
}
