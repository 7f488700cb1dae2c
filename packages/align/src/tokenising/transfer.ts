// Converts rows and tokens for transfer between threads: lists of numbers become typed arrays,
// whose memory moves instead of being copied. Whole floats, the order of fields and the JSON text
// of objects become values that structured cloning preserves.
import { PythonFloat } from '@keel/model';
import { fieldNames, hasOwnOrder, inOrder, jsonTextOf, withJsonText } from '@keel/model/exact-json';

/** Represents a list of whole numbers or of booleans, or one {@link PythonFloat}. */
interface Packed {
  packed: 'numbers' | 'flags' | 'float';
  values: Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer> | Float64Array<ArrayBuffer>;
}

const fitsInt32 = (value: unknown): boolean =>
  typeof value === 'number' && (value | 0) === value && !Object.is(value, -0);

/**
 * A value with its lists packed; `memory` receives the buffers to move. Accepts what structured
 * cloning accepts (plain objects, lists, typed arrays, texts, numbers) and whole floats.
 */
export function pack(value: unknown, memory: ArrayBuffer[]): unknown {
  if (Array.isArray(value)) {
    if (value.length === 0) return value;
    if (value.every(fitsInt32)) return moved('numbers', Int32Array.from(value), memory);
    if (value.every((one) => typeof one === 'boolean'))
      return moved('flags', Uint8Array.from(value, Number), memory);
    return value.map((one) => pack(one, memory));
  }
  if (value instanceof PythonFloat) return moved('float', Float64Array.of(value.value), memory);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  const fields = fieldNames(value).map(
    (key) => [key, pack((value as Record<string, unknown>)[key], memory)] as const,
  );
  const text = jsonTextOf(value);
  // A row has no maps of its own, and no field is named null.
  if (text !== undefined) return new Map<string | null, unknown>([...fields, [null, text]]);
  return hasOwnOrder(value) ? new Map(fields) : Object.fromEntries(fields);
}

function moved(packed: Packed['packed'], values: Packed['values'], memory: ArrayBuffer[]): Packed {
  memory.push(values.buffer);
  return { packed, values };
}

/** The value that {@link pack} was given. */
export function unpack(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unpack);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (value instanceof Map) {
    const text: string | undefined = value.get(null);
    value.delete(null);
    const fields = [...value].map(([key, one]) => [key, unpack(one)] as const);
    const object = inOrder(
      Object.fromEntries(fields),
      fields.map(([key]) => key),
    );
    return text === undefined ? object : withJsonText(object, text);
  }
  const { packed, values } = value as Partial<Packed>;
  // A row may have fields with these names, but not with typed arrays of these kinds.
  if (packed === 'numbers' && values instanceof Int32Array) return Array.from(values);
  if (packed === 'flags' && values instanceof Uint8Array)
    return Array.from(values, (one) => one === 1);
  if (packed === 'float' && values instanceof Float64Array) return new PythonFloat(values[0]!);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, unpack(one)]));
}
