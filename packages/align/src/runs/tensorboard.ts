import { closeSync, fsyncSync, openSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileError } from '@keel/model';
import { appendToDescriptor } from '../files/append-whole.ts';
import { maskedCrc32c } from './crc32c.ts';
import type { MetricsRow } from './metrics.ts';
import { bytesField, doubleField, floatField, varintField } from './protobuf.ts';

// Field numbers of tensorflow's event.proto, summary.proto, tensor.proto and tensor_shape.proto.
const event = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 };
const summaryValue = 1;
const value = { tag: 1, simpleValue: 2, tensor: 8, metadata: 9 };
const tensor = { type: 1, shape: 2, strings: 8 };
const STRING_TYPE = 7;
const SESSION_START = 1;

export interface TensorBoardOptions {
  /** Step of a resumed run's checkpoint: TensorBoard drops later steps from earlier files. */
  resumeFrom?: number | null;
  /** Milliseconds since 1970, for the file's name and each event's time. */
  now?: () => number;
}

/** Writes one TensorBoard event file: TFRecords of Event messages, each with its two checksums. */
export class TensorBoardWriter implements Disposable {
  readonly path: string;
  readonly #descriptor: number;
  readonly #now: () => number;

  /** @param folder for the file, which gets the name that TensorBoard looks for */
  constructor(folder: string, { resumeFrom = null, now = Date.now }: TensorBoardOptions = {}) {
    this.#now = now;
    const seconds = Math.floor(now() / 1000);
    this.path = join(folder, `events.out.tfevents.${seconds}.${hostname()}.${process.pid}`);
    try {
      this.#descriptor = openSync(this.path, 'a');
    } catch (error) {
      throw fileError(error, { path: this.path, use: 'written' });
    }
    this.#write(0, bytesField(event.fileVersion, 'brain.Event:2'));
    if (resumeFrom !== null) {
      // The session starts with the first step after the checkpoint: the rows up to it are kept.
      this.#write(resumeFrom + 1, bytesField(event.sessionLog, varintField(1, SESSION_START)));
    }
  }

  /** Writes a row's numbers as scalars, under the same tags as TRL. */
  metrics({ step, ...numbers }: MetricsRow): void {
    const values = Object.entries(numbers).map(([name, number]) =>
      bytesField(summaryValue, [
        bytesField(value.tag, tensorBoardTag(name)),
        floatField(value.simpleValue, number),
      ]),
    );
    this.#write(step, bytesField(event.summary, values));
  }

  /** Writes a text, which TensorBoard shows as Markdown. */
  text(step: number, tag: string, text: string): void {
    const metadata = bytesField(1, bytesField(1, 'text'));
    const shapeOfOne = bytesField(2, varintField(1, 1));
    const content = [
      varintField(tensor.type, STRING_TYPE),
      bytesField(tensor.shape, shapeOfOne),
      bytesField(tensor.strings, text),
    ];
    const fields = [
      bytesField(value.tag, tag),
      bytesField(value.tensor, content),
      bytesField(value.metadata, metadata),
    ];
    this.#write(step, bytesField(event.summary, bytesField(summaryValue, fields)));
  }

  /** Makes what was written survive a power cut. */
  sync(): void {
    try {
      fsyncSync(this.#descriptor);
    } catch (error) {
      throw fileError(error, { path: this.path, use: 'written' });
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #write(step: number, what: Uint8Array): void {
    const time = doubleField(event.wallTime, this.#now() / 1000);
    const data = Buffer.concat([time, varintField(event.step, step), what]);
    appendToDescriptor(this.#descriptor, this.path, record(data));
  }
}

/** `eval_loss` to `eval/loss`, `loss` to `train/loss`. */
export function tensorBoardTag(name: string): string {
  return name.startsWith('eval_') ? `eval/${name.slice('eval_'.length)}` : `train/${name}`;
}

/** TFRecord: length (8 bytes), its checksum (4), the data, its checksum (4). */
function record(data: Uint8Array): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(data.length));
  const checksum = (bytes: Uint8Array): Uint8Array => {
    const result = Buffer.alloc(4);
    result.writeUInt32LE(maskedCrc32c(bytes));
    return result;
  };
  return Buffer.concat([length, checksum(length), data, checksum(data)]);
}
