// Converts Parquet values to the values of a row by their schema: values alone cannot distinguish a
// whole float from an integer, or a struct's absent field from a null.
import { PythonFloat } from '@keel/model';
import { inOrder, parseExactJson, setField } from '@keel/model/exact-json';
import { type FileMetaData, type ParquetParsers, parquetSchema, type SchemaTree } from 'hyparquet';
import { durationsOf } from './arrow-durations.ts';
import { goodClasses } from './class-labels.ts';
import { digitsOf, isoDate, isoDateTime, isoDuration, isoTime } from './parquet-times.ts';

/**
 * The values of a decoded row, by its schema:
 * - A null in a struct is absent, because Parquet writes every field of a struct, whether or not
 *   the row had it. Maps, lists and columns keep their nulls, and so does a message's "content",
 *   which every message has.
 * - Whole numbers are numbers, or bigint beyond 2^53. Whole floats are {@link PythonFloat}.
 * - Decimals are numbers if a double represents all their digits, otherwise text.
 * - Dates, times and Arrow's durations are text in ISO 8601, with all their digits.
 * - Fields of structs and maps have the file's order.
 * - Classes of the column `label` are true or false, by their names.
 *
 * Of rows that are read by {@link storedSchema}.
 */
export const rowValues = (metadata: FileMetaData): ((row: unknown) => unknown) => {
  const durations = durationsOf(metadata);
  const good = goodClasses(metadata);
  const columns = parquetSchema(metadata).children.map((child) => {
    const convert = converter(child, durations);
    const { name } = child.element;
    return [name, name === 'label' && good !== null ? classOf(convert, good) : convert] as const;
  });
  const names = columns.map(([name]) => name);
  return (row) => {
    const fields: Record<string, unknown> = {};
    for (const [name, convert] of columns) {
      setField(fields, name, convert((row as Record<string, unknown>)[name] ?? null));
    }
    return inOrder(fields, names);
  };
};

/** A number without a class, as -1 is in datasets, has no label. */
const classOf =
  (convert: Convert, good: readonly boolean[]): Convert =>
  (value) =>
    value === null || value === undefined ? null : (good[Number(convert(value))] ?? null);

type Durations = ReturnType<typeof durationsOf>;
type Convert = (value: unknown) => unknown;

/** Converts a value that may be null. */
const converter = (tree: SchemaTree, durations: Durations): Convert => {
  const isList = tree.element.repetition_type === 'REPEATED' && !isGroup(tree);
  const convert = isList ? items(leaf(tree, durations)) : shaped(tree, durations);
  return (value) => (value === null || value === undefined ? null : convert(value));
};

const isGroup = (tree: SchemaTree): boolean => tree.children.length > 0;

const shaped = (tree: SchemaTree, durations: Durations): Convert => {
  const { converted_type: type, logical_type: logical } = tree.element;
  const [inner] = tree.children;
  if (inner === undefined) return leaf(tree, durations);
  if (logical?.type === 'VARIANT') return anyValue;
  const repeated = tree.children.length === 1 && inner.element.repetition_type === 'REPEATED';
  if (type === 'LIST' && repeated) {
    const [item] = inner.children;
    return inner.children.length === 1
      ? items(converter(item!, durations))
      : within(inner, items(struct(inner, durations)));
  }
  if (isMap(tree.element) && repeated && inner.children.length === 2) {
    return within(inner, map(inner, durations));
  }
  if (tree.element.repetition_type === 'REPEATED') return items(struct(tree, durations));
  return struct(tree, durations);
};

type Element = FileMetaData['schema'][number];

const isMap = ({ converted_type: type, logical_type: logical }: Element): boolean =>
  type === 'MAP' || type === 'MAP_KEY_VALUE' || logical?.type === 'MAP';

/** For the value of a group's only field. */
const within =
  ({ element: { name } }: SchemaTree, convert: Convert): Convert =>
  (value) =>
    convert((value as Record<string, unknown>)[name] ?? []);

const items =
  (convert: Convert): Convert =>
  (list) =>
    Array.from(list as Iterable<unknown>, (item) =>
      item === null || item === undefined ? null : convert(item),
    );

/** For the entries of a map: an object with the keys as text. */
const map = (entries: SchemaTree, durations: Durations): Convert => {
  const [key, part] = entries.children.map(
    (child) => [child.element.name, converter(child, durations)] as const,
  ) as [readonly [string, Convert], readonly [string, Convert]];
  return (value) => {
    const fields: Record<string, unknown> = {};
    const names = Array.from(value as Iterable<Record<string, unknown>>, (entry) => {
      const name = keyText(key[1](entry[key[0]]));
      setField(fields, name, part[1](entry[part[0]]));
      return name;
    });
    return inOrder(fields, [...new Set(names)]);
  };
};

/** @throws Error for a key that is no text, number or truth value */
const keyText = (key: unknown): string => {
  if (key instanceof PythonFloat) return `${key.value.toFixed(1)}`;
  if (typeof key !== 'object' || key === null) return `${key}`;
  throw new Error('a map has keys that are no text, number or truth value');
};

const struct = ({ children }: SchemaTree, durations: Durations): Convert => {
  const fields = children.map(
    (child) => [child.element.name, converter(child, durations)] as const,
  );
  const isMessage = fields.some(([name]) => name === 'role');
  return (value) => {
    const kept: Record<string, unknown> = {};
    for (const [name, convert] of fields) {
      const part = convert((value as Record<string, unknown>)[name]);
      if (part !== null || (isMessage && name === 'content')) setField(kept, name, part);
    }
    return inOrder(
      kept,
      fields.map(([name]) => name).filter((name) => Object.hasOwn(kept, name)),
    );
  };
};

const leaf = ({ element, path }: SchemaTree, durations: Durations): Convert => {
  const { type, converted_type: converted, logical_type: logical } = element;
  if (converted === 'JSON' || logical?.type === 'VARIANT') return (value) => value;
  if (converted === 'DECIMAL') return decimal(element.scale ?? 0);
  if (type === 'DOUBLE' || type === 'FLOAT' || logical?.type === 'FLOAT16') return float;
  if (logical?.type === 'TIMESTAMP' && logical.isAdjustedToUTC) return (value) => `${value}Z`;
  if (logical?.type !== 'TIMESTAMP' && /^TIMESTAMP/.test(converted ?? ''))
    return (value) => `${value}Z`;
  // A time of day has no date, and so no offset from UTC: pyarrow, too, reads all without one.
  if (logical?.type === 'TIME') return counted(isoTime, digitsOf[logical.unit]);
  if (converted === 'TIME_MILLIS') return counted(isoTime, digitsOf.MILLIS);
  if (converted === 'TIME_MICROS') return counted(isoTime, digitsOf.MICROS);
  // hyparquet converts dates only by their converted type.
  if (logical?.type === 'DATE' && converted === undefined) return (value) => isoDate(Number(value));
  const unit = durations.get(path.join('.'));
  return unit === undefined ? anyValue : counted(isoDuration, digitsOf[unit]);
};

/** For a count of units with `digits` digits of a second's fraction. */
const counted =
  (written: (count: bigint, digits: number) => string, digits: number): Convert =>
  (value) =>
    written(BigInt(value as number | bigint), digits);

const float: Convert = (value) =>
  typeof value === 'number' && Number.isInteger(value) ? new PythonFloat(value) : value;

const anyValue: Convert = (value) => {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(anyValue);
  if (ArrayBuffer.isView(value) && !(value instanceof Uint8Array) && !(value instanceof DataView)) {
    return Array.from(value as unknown as Iterable<unknown>, anyValue);
  }
  return value;
};

/** @param scale digits after the decimal point */
const decimal =
  (scale: number): Convert =>
  (value) => {
    const unscaled = value instanceof Uint8Array ? signed(value) : BigInt(value as number | bigint);
    const text = decimalText(unscaled, scale);
    const digits = `${unscaled}`.replace('-', '').length;
    // A double represents any decimal of up to 15 digits.
    return digits <= 15 ? Number(text) : text;
  };

const signed = (bytes: Uint8Array): bigint => {
  let value = 0n;
  for (const byte of bytes) value = value * 256n + BigInt(byte);
  return BigInt.asIntN(8 * bytes.length, value);
};

const decimalText = (unscaled: bigint, scale: number): string => {
  if (scale <= 0) return `${unscaled}`;
  const digits = `${unscaled < 0n ? -unscaled : unscaled}`.padStart(scale + 1, '0');
  const text = `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return unscaled < 0n ? `-${text}` : text;
};

/**
 * The schema to read rows by, for {@link rowValues}:
 * - Decimals are their stored integers: hyparquet would multiply them by a power of ten, which
 *   turns 0.3 into 0.30000000000000004.
 * - Maps are groups of entries: hyparquet would make objects of them, in which JavaScript moves
 *   keys such as "10" to the front.
 */
export const storedSchema = (metadata: FileMetaData): FileMetaData => ({
  ...metadata,
  schema: metadata.schema.map((element) => {
    const isDecimal = element.converted_type === 'DECIMAL' && element.type !== 'BYTE_ARRAY';
    if (!isDecimal && !isMap(element)) return element;
    const { converted_type: _, logical_type: __, ...stored } = element;
    return stored;
  }),
});

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

// Bytes that are not text stay bytes, so that the row's check names the row and field.
const stringFromBytes = (bytes: Uint8Array | undefined): unknown => {
  if (!bytes) return bytes;
  try {
    return decoder.decode(bytes);
  } catch {
    return bytes;
  }
};

const jsonFromBytes = (bytes: Uint8Array | undefined): unknown => {
  const text = stringFromBytes(bytes);
  return typeof text === 'string' ? parseExactJson(text) : text;
};

/** How hyparquet decodes values that JSON cannot represent. */
export const parsers = {
  stringFromBytes,
  jsonFromBytes,
  dateFromDays: (days: number | undefined) => (days === undefined ? undefined : isoDate(days)),
  timestampFromMilliseconds: (value: bigint | undefined) =>
    value === undefined ? value : isoDateTime(BigInt(value), 3),
  timestampFromMicroseconds: (value: bigint | undefined) =>
    value === undefined ? value : isoDateTime(BigInt(value), 6),
  timestampFromNanoseconds: (value: bigint | undefined) =>
    value === undefined ? value : isoDateTime(BigInt(value), 9),
} as Partial<ParquetParsers>;
