// Parquet has no durations: Arrow's writers store them as integers, and say what they are in a
// schema of their own, a flatbuffer in the file's metadata (Arrow's format/Schema.fbs).
import { ByteBuffer } from 'flatbuffers';
import { type FileMetaData, parquetSchema, type SchemaTree } from 'hyparquet';
import type { digitsOf } from './parquet-times.ts';

type Unit = keyof typeof digitsOf;

/** A field of Arrow's schema. */
interface ArrowField {
  name: string;
  /** Of the enumeration `Type`. */
  type: number;
  /** Of a duration. */
  unit: Unit | null;
  children: readonly ArrowField[];
}

const types = { list: 12, struct: 13, fixedSizeList: 16, map: 17, duration: 18, largeList: 21 };
const units = ['SECONDS', 'MILLIS', 'MICROS', 'NANOS'] as const satisfies readonly Unit[];

/** Units of the durations of a file, by the path of their column (its names, joined by a dot). */
export const durationsOf = (metadata: FileMetaData): ReadonlyMap<string, Unit> => {
  const found = new Map<string, Unit>();
  const written = metadata.key_value_metadata?.find(({ key }) => key === 'ARROW:schema')?.value;
  if (written === undefined) return found;
  const fields = new Map(fieldsIn(Buffer.from(written, 'base64')).map((one) => [one.name, one]));
  for (const tree of parquetSchema(metadata).children) {
    const field = fields.get(tree.element.name);
    if (field !== undefined) collect(tree, field, found);
  }
  return found;
};

/** Follows both schemas: Parquet has a repeated group in each list and map, which Arrow has not. */
const collect = (tree: SchemaTree, field: ArrowField, found: Map<string, Unit>): void => {
  if (field.unit !== null && tree.children.length === 0) {
    found.set(tree.path.join('.'), field.unit);
    return;
  }
  const isList = [types.list, types.fixedSizeList, types.largeList].includes(field.type);
  const [inner] = tree.children;
  const columns = isList || field.type === types.map ? inner?.children : tree.children;
  const parts = field.type === types.map ? field.children[0]?.children : field.children;
  for (const [index, part] of (parts ?? []).entries()) {
    const column = columns?.[index];
    if (column !== undefined) collect(column, part, found);
  }
};

/** The place of a table's member: see `__offset` in FlatBuffers' generated code. */
const member = (buffer: ByteBuffer, table: number, index: number): number | null => {
  const offset = buffer.__offset(table, 4 + 2 * index);
  return offset === 0 ? null : table + offset;
};

/** @throws Error for tables that are not in the bytes, or not behind the one that has them */
const tablesIn = (buffer: ByteBuffer, table: number, index: number): number[] => {
  const at = member(buffer, table, index);
  if (at === null) return [];
  const start = buffer.__vector(at);
  const length = buffer.__vector_len(at);
  if (!(length >= 0 && start + 4 * length <= buffer.capacity())) throw damaged();
  return Array.from({ length }, (_, item) => {
    const place = buffer.__indirect(start + 4 * item);
    if (place <= start + 4 * item || place >= buffer.capacity()) throw damaged();
    return place;
  });
};

const damaged = (): Error => new Error("Arrow's schema in its metadata is damaged");

/**
 * @throws Error for bytes that are no schema
 * @param bytes a message, which a length precedes, and since Arrow 0.15 four bytes of 255
 */
const fieldsIn = (bytes: Buffer): ArrowField[] => {
  const buffer = new ByteBuffer(bytes);
  buffer.setPosition(buffer.readInt32(0) === -1 ? 8 : 4);
  const message = buffer.__indirect(buffer.position());
  const header = member(buffer, message, 2);
  if (header === null) return [];
  // Fields may share their children, so damaged bytes could name more of them than they hold.
  let left = bytes.length / 8;
  const fieldAt = (table: number): ArrowField => {
    if (left-- <= 0) throw damaged();
    const [name, kind, type] = [0, 2, 3].map((index) => member(buffer, table, index));
    const number = kind == null ? 0 : buffer.readUint8(kind);
    return {
      name: name == null ? '' : String(buffer.__string(name)),
      type: number,
      unit: number === types.duration && type != null ? unitAt(buffer, type) : null,
      children: tablesIn(buffer, table, 5).map(fieldAt),
    };
  };
  return tablesIn(buffer, buffer.__indirect(header), 1).map(fieldAt);
};

const unitAt = (buffer: ByteBuffer, type: number): Unit => {
  const unit = member(buffer, buffer.__indirect(type), 0);
  return units[unit === null ? 1 : buffer.readInt16(unit)] ?? 'MILLIS';
};
