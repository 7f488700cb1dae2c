// Converts Parquet values to the values of a row by their schema: values alone cannot distinguish a
// whole float from an integer, or a struct's absent field from a null.
import { PythonFloat } from '@keel/model';
import { inOrder, parseExactJson, setField } from '@keel/model/exact-json';
import { type FileMetaData, type ParquetParsers, parquetSchema, type SchemaTree } from 'hyparquet';

/**
 * The values of a decoded row, by its schema:
 * - A null in a struct is absent, because Parquet writes every field of a struct, whether or not
 *   the row had it. Maps, lists and columns keep their nulls, and so does a message's "content",
 *   which every message has.
 * - Whole numbers are numbers, or bigint beyond 2^53. Whole floats are {@link PythonFloat}.
 * - Decimals are numbers if a double represents all their digits, otherwise text.
 * - Dates and times are text in ISO 8601, with all their digits.
 */
export const rowValues = (metadata: FileMetaData): ((row: unknown) => unknown) => {
  const columns = parquetSchema(metadata).children.map(
    (child) => [child.element.name, converter(child)] as const,
  );
  return (row) => {
    const fields: Record<string, unknown> = {};
    for (const [name, convert] of columns) {
      setField(fields, name, convert((row as Record<string, unknown>)[name] ?? null));
    }
    return fields;
  };
};

type Convert = (value: unknown) => unknown;

/** Converts a value that may be null. */
const converter = (tree: SchemaTree): Convert => {
  const convert =
    tree.element.repetition_type === 'REPEATED' && !isGroup(tree) ? listOf(tree) : shaped(tree);
  return (value) => (value === null || value === undefined ? null : convert(value));
};

const isGroup = (tree: SchemaTree): boolean => tree.children.length > 0;

const shaped = (tree: SchemaTree): Convert => {
  const { converted_type: type, logical_type: logical } = tree.element;
  const [inner] = tree.children;
  if (inner === undefined) return leaf(tree);
  if (logical?.type === 'VARIANT') return anyValue;
  const repeated = tree.children.length === 1 && inner.element.repetition_type === 'REPEATED';
  if (type === 'LIST' && repeated) {
    const [item] = inner.children;
    return inner.children.length === 1 ? items(converter(item!)) : items(struct(inner));
  }
  if ((type === 'MAP' || type === 'MAP_KEY_VALUE') && repeated && inner.children.length === 2) {
    return map(converter(inner.children[1]!));
  }
  if (tree.element.repetition_type === 'REPEATED') return items(struct(tree));
  return struct(tree);
};

const listOf = (tree: SchemaTree): Convert => items(leaf(tree));

const items =
  (convert: Convert): Convert =>
  (list) =>
    Array.from(list as Iterable<unknown>, (item) =>
      item === null || item === undefined ? null : convert(item),
    );

const map =
  (convert: Convert): Convert =>
  (value) => {
    const fields: Record<string, unknown> = {};
    for (const [name, part] of Object.entries(value as object)) {
      setField(fields, name, convert(part));
    }
    return fields;
  };

const struct = ({ children }: SchemaTree): Convert => {
  const fields = children.map((child) => [child.element.name, converter(child)] as const);
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

const leaf = ({ element }: SchemaTree): Convert => {
  const { type, converted_type: converted, logical_type: logical } = element;
  if (converted === 'JSON' || logical?.type === 'VARIANT') return (value) => value;
  if (converted === 'DECIMAL') return decimal(element.scale ?? 0);
  if (type === 'DOUBLE' || type === 'FLOAT' || logical?.type === 'FLOAT16') return float;
  if (logical?.type === 'TIMESTAMP' && logical.isAdjustedToUTC) return (value) => `${value}Z`;
  if (logical?.type !== 'TIMESTAMP' && /^TIMESTAMP/.test(converted ?? ''))
    return (value) => `${value}Z`;
  return anyValue;
};

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
 * The schema with decimals as their stored integers: hyparquet would multiply them by a power of
 * ten, which turns 0.3 into 0.30000000000000004.
 */
export const withStoredDecimals = (metadata: FileMetaData): FileMetaData => ({
  ...metadata,
  schema: metadata.schema.map((element) => {
    if (element.converted_type !== 'DECIMAL' || element.type === 'BYTE_ARRAY') return element;
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

/** @param digits of the fraction of a second */
const isoTime = (since: bigint, digits: number): string => {
  const perSecond = 10n ** BigInt(digits);
  const fraction = ((since % perSecond) + perSecond) % perSecond;
  const seconds = new Date(Number((since - fraction) / perSecond) * 1000)
    .toISOString()
    .slice(0, 19);
  const decimals = `${fraction}`.padStart(digits, '0').replace(/0+$/, '');
  return decimals === '' ? seconds : `${seconds}.${decimals}`;
};

/** How hyparquet decodes values that JSON cannot represent. */
export const parsers = {
  stringFromBytes,
  jsonFromBytes,
  dateFromDays: (days: number | undefined) =>
    days === undefined ? undefined : new Date(days * 86_400_000).toISOString().slice(0, 10),
  timestampFromMilliseconds: (value: bigint | undefined) =>
    value === undefined ? value : isoTime(BigInt(value), 3),
  timestampFromMicroseconds: (value: bigint | undefined) =>
    value === undefined ? value : isoTime(BigInt(value), 6),
  timestampFromNanoseconds: (value: bigint | undefined) =>
    value === undefined ? value : isoTime(BigInt(value), 9),
} as Partial<ParquetParsers>;
