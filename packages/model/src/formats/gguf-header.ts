/**
 * The header of a GGUF file: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2
 * and 3.
 *
 * Keel does not use @huggingface/gguf 0.4.6 for this, because that treats bytes beyond the end of a
 * file as zeros. It parses the default model truncated to 100 bytes without an error, as 272
 * tensors with empty names. It also truncates strings at the end of its window, and does not check
 * tensors against the size of the file.
 */
import { CheckpointError, quote } from './checkpoint-error.ts';
import type { CheckpointFile } from './checkpoint-file.ts';
import { type GgmlType, ggmlType } from './ggml-types.ts';
import { GgufCursor } from './gguf-cursor.ts';
import { countElements } from './stored-dtype.ts';

/** Where one tensor is stored: `position` is its first byte in the file. */
export interface GgufEntry {
  type: GgmlType;
  /** Row-major, outermost first: the reverse of the file's order. */
  shape: number[];
  elements: number;
  position: number;
  byteLength: number;
}

export interface GgufHeader {
  metadata: Record<string, unknown>;
  entries: Map<string, GgufEntry>;
}

const magic = 0x46554747;
const longestName = 65_535;
const mostDimensions = 4;
// Name length, dimensions, type and offset of a tensor with an empty name.
const leastTensorBytes = 24;
const leastPairBytes = 13;

/**
 * @throws CheckpointError if the header is damaged, does not match the file, or names a tensor type
 *   that Keel cannot read.
 */
export const readGgufHeader = (file: CheckpointFile): GgufHeader => {
  const cursor = new GgufCursor(file);
  checkVersion(cursor);
  const tensorCount = cursor.count('the number of tensors', leastTensorBytes);
  const pairCount = cursor.count('the number of metadata entries', leastPairBytes);
  const metadata = new Map<string, unknown>();
  for (let index = 0; index < pairCount; index += 1) {
    const key = cursor.string(`the name of metadata entry ${index}`);
    if (metadata.has(key)) cursor.fail(`metadata ${quote(key)} occurs twice`);
    const type = cursor.uint32(`the type of metadata ${quote(key)}`);
    metadata.set(key, cursor.value(type, `metadata ${quote(key)}`));
  }
  const entries = new Map<string, GgufEntry>();
  for (let index = 0; index < tensorCount; index += 1) {
    const name = cursor.string(`the name of tensor ${index}`);
    if (name.length > longestName)
      cursor.fail(`tensor ${index} has a name of ${name.length} bytes`);
    if (entries.has(name)) {
      throw new CheckpointError({ file: file.path, tensor: name }, 'is listed twice');
    }
    entries.set(name, readEntry(file, cursor, name));
  }
  const alignment = metadata.get('general.alignment') ?? 32;
  place(file, entries, cursor.position, alignment);
  return { metadata: Object.fromEntries(metadata), entries };
};

const checkVersion = (cursor: GgufCursor): void => {
  if (cursor.uint32('the file type') !== magic)
    cursor.fail('is not a GGUF file: it does not start with "GGUF"');
  const version = cursor.uint32('the version');
  if (version === 2 || version === 3) return;
  cursor.fail(
    version % 0x10000 === 0 && version !== 0
      ? 'is a big-endian GGUF file. Convert it to little-endian'
      : `is GGUF version ${version}, expected 2 or 3. Convert it again with a current tool`,
  );
};

const readEntry = (file: CheckpointFile, cursor: GgufCursor, tensor: string): GgufEntry => {
  const fail = (message: string): never => {
    throw new CheckpointError({ file: file.path, tensor }, message);
  };
  const what = `tensor ${quote(tensor)}`;
  const dimensions = cursor.uint32(`the number of dimensions of ${what}`);
  if (dimensions > mostDimensions) {
    fail(`has ${dimensions} dimensions, expected at most ${mostDimensions}`);
  }
  const shape: number[] = [];
  for (let index = 0; index < dimensions; index += 1) {
    shape.unshift(cursor.size(`dimension ${index} of ${what}`));
  }
  const type = ggmlType(cursor.uint32(`the type of ${what}`));
  const position = cursor.size(`the offset of ${what}`);
  if (typeof type === 'string') return fail(type);
  const elements = countElements(shape);
  if (typeof elements === 'string') return fail(elements);
  if ((shape.at(-1) ?? 1) % type.blockElements !== 0) {
    fail(
      `has rows of ${shape.at(-1)} elements, but ${type.name} has blocks of ${type.blockElements}`,
    );
  }
  const byteLength = (elements / type.blockElements) * type.blockBytes;
  return { type, shape, elements, position, byteLength };
};

/**
 * Turns offsets into positions, and checks that every tensor is inside the file and none overlaps
 * another.
 */
const place = (
  file: CheckpointFile,
  entries: Map<string, GgufEntry>,
  headerEnd: number,
  alignment: unknown,
): void => {
  if (
    typeof alignment !== 'number' ||
    !Number.isInteger(Math.log2(alignment)) ||
    alignment < 1 ||
    alignment > 1 << 20
  ) {
    throw new CheckpointError(
      { file: file.path },
      `its general.alignment is ${quote(alignment)}, expected a power of two up to 1048576`,
    );
  }
  const dataStart = Math.ceil(headerEnd / alignment) * alignment;
  for (const [tensor, entry] of entries) {
    if (entry.position % alignment !== 0) {
      throw new CheckpointError(
        { file: file.path, tensor },
        `its offset ${entry.position} is not a multiple of the alignment ${alignment}`,
      );
    }
    entry.position += dataStart;
    if (entry.position + entry.byteLength > file.size) {
      throw new CheckpointError(
        { file: file.path, tensor },
        `takes bytes ${entry.position} to ${entry.position + entry.byteLength}, but the file ends at ${file.size}: it is truncated or damaged`,
      );
    }
  }
  let end = dataStart;
  let before = '';
  const order = [...entries].sort(([, a], [, b]) => a.position - b.position);
  for (const [tensor, entry] of order) {
    if (entry.position < end && entry.byteLength > 0) {
      throw new CheckpointError(
        { file: file.path, tensor },
        `starts at byte ${entry.position}, inside tensor ${quote(before)}, which ends at ${end}: offsets overlap`,
      );
    }
    if (entry.position + entry.byteLength > end) before = tensor;
    end = Math.max(end, entry.position + entry.byteLength);
  }
};
