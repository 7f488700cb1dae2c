// Messages of TensorBoard's event files: numbers, and texts with a trainer's arguments.
// Field numbers are those of tensorflow's event.proto, summary.proto and tensor.proto.
import { type WireField, wireMessage } from './wire.ts';

const event = { wallTime: 1, step: 2, summary: 5, sessionLog: 7 };
const session = { status: 1 };
const SESSION_START = 1;
const summaryValue = 1;
const value = { tag: 1, simpleValue: 2, tensor: 8 };
const tensor = { type: 1, content: 4, floats: 5, doubles: 6, integers: 7, strings: 8, longs: 10 };
const types = { float: 1, double: 2, int32: 3, string: 7, int64: 9 };

/** What an event says. */
export interface LoggedEvent {
  step: number;
  /** Seconds since 1970. */
  time: number;
  /** Later steps of earlier files are no longer valid. */
  restarts: boolean;
  numbers: { tag: string; value: number }[];
  texts: { tag: string; text: string }[];
}

type Fields = Map<number, WireField['value'][]>;

/** @throws RangeError if it is not an event */
export function loggedEvent(data: Uint8Array): LoggedEvent {
  const fields = wireMessage(data);
  const found: LoggedEvent = {
    step: numberOf(fields, event.step) ?? 0,
    time: numberOf(fields, event.wallTime) ?? 0,
    restarts: startsSession(fields),
    ...{ numbers: [], texts: [] },
  };
  for (const summary of messagesOf(fields, event.summary)) {
    for (const one of messagesOf(summary, summaryValue)) {
      const tag = textOf(one, value.tag);
      const simple = numberOf(one, value.simpleValue);
      if (tag === null) continue;
      if (simple !== null) {
        found.numbers.push({ tag, value: simple });
        continue;
      }
      const [held] = messagesOf(one, value.tensor);
      if (held === undefined) continue;
      const text = textOf(held, tensor.strings);
      const number = scalarOf(held);
      if (text !== null) found.texts.push({ tag, text });
      else if (number !== null) found.numbers.push({ tag, value: number });
    }
  }
  return found;
}

function startsSession(fields: Fields): boolean {
  const [log] = messagesOf(fields, event.sessionLog);
  return log !== undefined && numberOf(log, session.status) === SESSION_START;
}

/** The number of a tensor with one element, as TensorFlow 2 logs scalars; null for others. */
function scalarOf(fields: Fields): number | null {
  const type = numberOf(fields, tensor.type);
  const [content] = bytesOf(fields, tensor.content);
  if (content !== undefined && content.length > 0) {
    const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
    if (type === types.float && content.length === 4) return view.getFloat32(0, true);
    if (type === types.double && content.length === 8) return view.getFloat64(0, true);
    if (type === types.int32 && content.length === 4) return view.getInt32(0, true);
    if (type === types.int64 && content.length === 8) return Number(view.getBigInt64(0, true));
    return null;
  }
  if (type === types.float)
    return packed(fields, tensor.floats, 4, (view) => view.getFloat32(0, true));
  if (type === types.double)
    return packed(fields, tensor.doubles, 8, (view) => view.getFloat64(0, true));
  if (type === types.int32) return numberOf(fields, tensor.integers);
  return type === types.int64 ? numberOf(fields, tensor.longs) : null;
}

/** One number of a repeated field, whether it is packed or not. */
function packed(
  fields: Fields,
  number: number,
  size: number,
  read: (view: DataView) => number,
): number | null {
  const plain = numberOf(fields, number);
  if (plain !== null) return plain;
  const [bytes] = bytesOf(fields, number);
  if (bytes?.length !== size) return null;
  return read(new DataView(bytes.buffer, bytes.byteOffset, size));
}

const valuesOf = (fields: Fields, number: number): WireField['value'][] => fields.get(number) ?? [];

const bytesOf = (fields: Fields, number: number): Uint8Array[] =>
  valuesOf(fields, number).filter((one) => typeof one !== 'number');

const numberOf = (fields: Fields, number: number): number | null =>
  valuesOf(fields, number).findLast((one) => typeof one === 'number') ?? null;

const messagesOf = (fields: Fields, number: number): Fields[] =>
  bytesOf(fields, number).map(wireMessage);

function textOf(fields: Fields, number: number): string | null {
  const bytes = bytesOf(fields, number).at(-1);
  return bytes === undefined ? null : Buffer.from(bytes).toString('utf8');
}
