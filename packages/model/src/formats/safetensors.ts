import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CheckpointError, quote } from './checkpoint-error.ts';
import { CheckpointFile } from './checkpoint-file.ts';
import { safeName } from './safe-name.ts';
import {
  largestHeader,
  parseJsonObject,
  readSafetensorsHeader,
  type SafetensorsEntry,
} from './safetensors-header.ts';
import type { StoredDType } from './stored-dtype.ts';

export interface StoredTensorInfo {
  dtype: StoredDType;
  /** Row-major, outermost first. */
  shape: number[];
  byteLength: number;
}

/** Where a tensor is stored on disk. */
export interface StoredPlace {
  path: string;
  /** Size of the whole file, in bytes. */
  fileSize: number;
  /** The tensor's first byte. */
  position: number;
}

/** Named tensors in one file, or in the shards of one checkpoint. */
export interface TensorFile extends Disposable {
  /** The text entries of the file, or of all its shards together. */
  readonly metadata: Record<string, string>;
  names(): string[];
  has(name: string): boolean;
  /** @throws CheckpointError if there is no such tensor. */
  info(name: string): StoredTensorInfo;
  /** Where its bytes are stored. @throws CheckpointError if there is no such tensor. */
  place(name: string): StoredPlace;
  /** The tensor's bytes, little-endian, in a new buffer. @throws CheckpointError */
  read(name: string): Uint8Array<ArrayBuffer>;
  close(): void;
}

interface Located {
  file: CheckpointFile;
  entry: SafetensorsEntry;
}

/**
 * Opens a `.safetensors` file, a `.safetensors.index.json`, or a folder with `model.safetensors` or
 * `model.safetensors.index.json`. It checks the whole layout, but reads no tensor yet.
 *
 * @throws CheckpointError naming the file and the tensor if anything is damaged, missing or
 *   contradictory.
 */
export const openSafetensors = (path: string): TensorFile => {
  const file = locate(path);
  return file.endsWith('.json') ? openSharded(file) : openSingle(file);
};

const locate = (path: string): string => {
  if (!existsSync(path)) throw new CheckpointError({ file: path }, 'does not exist');
  if (!statSync(path).isDirectory()) return path;
  for (const name of ['model.safetensors', 'model.safetensors.index.json']) {
    if (existsSync(join(path, name))) return join(path, name);
  }
  const found = readdirSync(path).filter((name) => /\.(safetensors|bin|pt|pth|gguf)$/.test(name));
  throw new CheckpointError(
    { file: path },
    `expected model.safetensors or model.safetensors.index.json in this folder, found ${found.length === 0 ? 'no weights' : found.slice(0, 5).join(', ')}`,
  );
};

const openSingle = (path: string): TensorFile => {
  const file = new CheckpointFile(path);
  try {
    const { metadata, entries } = readSafetensorsHeader(file);
    const located = new Map([...entries].map(([name, entry]) => [name, { file, entry }]));
    return tensorFile(path, metadata, located, [file]);
  } catch (error) {
    file.close();
    throw error;
  }
};

const openSharded = (path: string): TensorFile => {
  const shards = new Map<
    string,
    { file: CheckpointFile; entries: Map<string, SafetensorsEntry> }
  >();
  const opened: CheckpointFile[] = [];
  let metadata: Record<string, string> = {};
  const shard = (name: string) => {
    const known = shards.get(name);
    if (known) return known;
    const file = new CheckpointFile(join(dirname(path), name));
    opened.push(file);
    const header = readSafetensorsHeader(file);
    metadata = { ...metadata, ...header.metadata };
    const added = { file, entries: header.entries };
    shards.set(name, added);
    return added;
  };
  try {
    const located = new Map<string, Located>();
    for (const [tensor, name] of readWeightMap(path)) {
      if (!existsSync(join(dirname(path), name))) {
        throw new CheckpointError(
          { file: path, tensor },
          `should be in shard ${name}, which is missing from the folder. Download it again`,
        );
      }
      const { file, entries } = shard(name);
      const entry = entries.get(tensor);
      if (!entry) {
        throw new CheckpointError(
          { file: path, tensor },
          `is in shard ${name} according to the index, but that shard does not contain it`,
        );
      }
      located.set(tensor, { file, entry });
    }
    // transformers reads whole shards, whatever the index says.
    for (const { file, entries } of shards.values()) {
      const unlisted = [...entries.keys()].find((tensor) => located.get(tensor)?.file !== file);
      if (unlisted === undefined) continue;
      const place = located.get(unlisted)?.file.path;
      throw new CheckpointError(
        { file: file.path, tensor: unlisted },
        place === undefined
          ? `is in this shard, but not in ${basename(path)}: the folder contains files of two models. Download or save the model again`
          : `is in this shard, but ${basename(path)} places it in ${basename(place)}: one of the two belongs to another model. Download or save the model again`,
      );
    }
    return tensorFile(path, metadata, located, opened);
  } catch (error) {
    for (const file of opened) file.close();
    throw error;
  }
};

/** The shard of each tensor in a `.safetensors.index.json`. @throws CheckpointError */
export const readWeightMap = (path: string): [string, string][] => {
  const file = new CheckpointFile(path);
  try {
    if (file.size > largestHeader) {
      throw new CheckpointError(
        { file: path },
        `has ${file.size} bytes, which is too large for an index`,
      );
    }
    const map = parseJsonObject(path, file.read(0, file.size), 'index').weight_map;
    if (typeof map !== 'object' || map === null || Array.isArray(map)) {
      throw new CheckpointError({ file: path }, 'has no object "weight_map": not a shard index');
    }
    return Object.entries(map).map(([tensor, name]) => {
      const refuse = (fault: string): Error =>
        new CheckpointError(
          { file: path, tensor },
          `its shard is ${quote(name)}, expected the name of a file next to the index: ${fault}`,
        );
      return [tensor, safeName(name, refuse)];
    });
  } finally {
    file.close();
  }
};

const tensorFile = (
  path: string,
  metadata: Record<string, string>,
  located: Map<string, Located>,
  opened: CheckpointFile[],
): TensorFile => {
  const find = (name: string): Located => {
    const found = located.get(name);
    if (found) return found;
    throw new CheckpointError(
      { file: path, tensor: name },
      `is not in ${basename(path)}, which has ${located.size} tensors: ${[...located.keys()].slice(0, 5).join(', ')}${located.size > 5 ? ', …' : ''}`,
    );
  };
  const close = (): void => {
    for (const file of opened) file.close();
  };
  return {
    metadata,
    names: () => [...located.keys()],
    has: (name) => located.has(name),
    info: (name) => {
      const { dtype, shape, byteLength } = find(name).entry;
      return { dtype, shape: [...shape], byteLength };
    },
    place: (name) => {
      const { file, entry } = find(name);
      return { path: file.path, fileSize: file.size, position: entry.position };
    },
    read: (name) => {
      const { file, entry } = find(name);
      return file.read(entry.position, entry.byteLength, name);
    },
    close,
    [Symbol.dispose]: close,
  };
};
