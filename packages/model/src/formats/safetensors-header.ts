import { CheckpointError, quote } from './checkpoint-error.ts';
import type { CheckpointFile } from './checkpoint-file.ts';
import {
  countElements,
  isStoredDType,
  type StoredDType,
  storedDTypeBytes,
} from './stored-dtype.ts';

/** Where one tensor is stored: `position` is its first byte in the file. */
export interface SafetensorsEntry {
  dtype: StoredDType;
  shape: number[];
  position: number;
  byteLength: number;
}

export interface SafetensorsHeader {
  metadata: Record<string, string>;
  entries: Map<string, SafetensorsEntry>;
}

/** The format's own limit on the header. */
export const largestHeader = 100_000_000;

/**
 * Reads and checks the header: https://huggingface.co/docs/safetensors. All sizes are checked
 * before memory is allocated for them. As the format requires, the tensors must fill the file
 * without overlaps or gaps.
 */
export const readSafetensorsHeader = (file: CheckpointFile): SafetensorsHeader => {
  const fail = (message: string, tensor?: string): never => {
    throw new CheckpointError({ file: file.path, tensor }, message);
  };
  if (file.size < 8) fail(`expected at least 8 bytes, found ${file.size}: not a safetensors file`);
  const length = new DataView(file.read(0, 8).buffer).getBigUint64(0, true);
  if (length > largestHeader) {
    fail(`its header claims ${length} bytes, expected at most ${largestHeader}`);
  }
  const headerLength = Number(length);
  const dataStart = 8 + headerLength;
  if (dataStart > file.size) {
    fail(`its header claims ${headerLength} bytes, but the file has ${file.size}: it is truncated`);
  }
  const header = parseJsonObject(file.path, file.read(8, headerLength), 'header');
  const { __metadata__: metadata = {}, ...tensors } = header;
  const entries = new Map<string, SafetensorsEntry>();
  const dataLength = file.size - dataStart;
  for (const [name, value] of Object.entries(tensors)) {
    const entry = checkEntry(value, dataLength);
    if (typeof entry === 'string') return fail(entry, name);
    entries.set(name, { ...entry, position: dataStart + entry.position });
  }
  checkLayout(file, entries, dataStart);
  return { metadata: checkMetadata(file.path, metadata), entries };
};

const checkEntry = (value: unknown, dataLength: number): SafetensorsEntry | string => {
  if (!isObject(value)) return 'expected an object with dtype, shape and data_offsets';
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isStoredDType(dtype)) {
    return `its dtype ${quote(dtype)} is unknown, expected one of ${Object.keys(storedDTypeBytes).join(', ')}`;
  }
  const elements = countElements(shape);
  if (typeof elements === 'string') return elements;
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(Number.isSafeInteger)) {
    return `its data_offsets are ${quote(offsets)}, expected two whole numbers`;
  }
  const [begin, end] = offsets as [number, number];
  if (begin < 0 || end < begin || end > dataLength) {
    return `its data_offsets [${begin}, ${end}] are outside the ${dataLength} bytes of data: the file is truncated or damaged`;
  }
  const byteLength = elements * storedDTypeBytes[dtype];
  if (end - begin !== byteLength) {
    return `its data_offsets [${begin}, ${end}] span ${end - begin} bytes, but ${dtype} of shape [${(shape as number[]).join(', ')}] takes ${byteLength}`;
  }
  return { dtype, shape: shape as number[], position: begin, byteLength };
};

const checkLayout = (
  file: CheckpointFile,
  entries: Map<string, SafetensorsEntry>,
  dataStart: number,
): void => {
  const order = [...entries].sort(
    ([, a], [, b]) => a.position - b.position || a.byteLength - b.byteLength,
  );
  let expected = dataStart;
  let before = '';
  for (const [tensor, entry] of order) {
    if (entry.position < expected) {
      throw new CheckpointError(
        { file: file.path, tensor },
        `starts at byte ${entry.position}, inside tensor ${quote(before)}, which ends at ${expected}: offsets overlap`,
      );
    }
    if (entry.position > expected) {
      throw new CheckpointError(
        { file: file.path, tensor },
        `starts at byte ${entry.position}, expected ${expected}: the bytes between belong to no tensor`,
      );
    }
    expected = entry.position + entry.byteLength;
    before = tensor;
  }
  if (expected !== file.size) {
    throw new CheckpointError(
      { file: file.path },
      `has ${file.size} bytes, but its tensors end at ${expected}`,
    );
  }
};

const checkMetadata = (path: string, metadata: unknown): Record<string, string> => {
  if (!isObject(metadata) || !Object.values(metadata).every((text) => typeof text === 'string')) {
    throw new CheckpointError({ file: path }, 'its __metadata__ is not an object of strings');
  }
  return metadata as Record<string, string>;
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Parses UTF-8 JSON, which must be an object without duplicate keys. */
export const parseJsonObject = (
  path: string,
  bytes: Uint8Array,
  what: string,
): Record<string, unknown> => {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError(
      { file: path },
      `its ${what} is not JSON: ${(cause as Error).message}`,
      { cause },
    );
  }
  if (!isObject(value)) {
    throw new CheckpointError({ file: path }, `its ${what} is not a JSON object`);
  }
  const repeated = firstRepeatedKey(text);
  if (repeated !== null) {
    throw new CheckpointError(
      { file: path, tensor: repeated },
      `occurs twice in the ${what}, and it is unclear which entry is valid`,
    );
  }
  return value;
};

/**
 * First key that occurs twice in one object of valid JSON. JSON.parse silently keeps the last one.
 */
const firstRepeatedKey = (text: string): string | null => {
  const token = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}]/g;
  const scopes: Set<string>[] = [];
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    if (match[0] === '{') scopes.push(new Set());
    else if (match[0] === '}') scopes.pop();
    else if (match[1] !== undefined) {
      const key = JSON.parse(match[0].slice(0, -match[1].length)) as string;
      if (scopes.at(-1)!.has(key)) return key;
      scopes.at(-1)!.add(key);
    }
  }
  return null;
};
