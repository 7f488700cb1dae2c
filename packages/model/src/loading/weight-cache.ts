// Dequantised weights, kept in the cache so that the next start maps them in place of computing
// them again.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { DecoderConfig } from '../decoder-config.ts';
import { cacheFolder } from '../formats/default-model.ts';
import { writeSafetensors } from '../formats/safetensors-writer.ts';
import type { ComputeType } from './build-decoder.ts';
import { fileIdentity, isSettled, shortHash } from './file-identity.ts';
import { plannedModules } from './module-plan.ts';
import { openSafetensorsSource } from './safetensors-source.ts';
import { tensorToWrite } from './tensor-to-write.ts';
import { checksum, isWhole, writeRecord } from './weight-cache-entry.ts';
import { cacheLimit, makeRoom } from './weight-cache-room.ts';
import type { WeightSource } from './weight-source.ts';

// Below, dequantising takes no time to speak of.
const SMALLEST = 16e6;

export interface WeightCacheOptions {
  /** Told why weights were not kept. */
  notice(text: string): void;
  /** Keel's cache folder. */
  cache?: string;
  /** Models of fewer bytes are not kept. */
  smallest?: number;
  /** Milliseconds since the file's last change from which on it counts as finished. */
  settledAfter?: number;
}

/**
 * The weights of a quantised file from the cache, mapped. Where it does not hold them, they are
 * computed and put there first, in place of what it held of an earlier version of the file.
 * Processes may do so at the same time.
 * @param source the file's weights, already held against `config`
 * @returns null where they are not kept: the cache is off or cannot be written to, or the model is
 *   very small or too large
 */
export function cachedWeights(
  source: WeightSource,
  config: DecoderConfig,
  type: ComputeType,
  options: WeightCacheOptions,
): WeightSource | null {
  const { cache = cacheFolder(), smallest = SMALLEST, notice } = options;
  const limit = cacheLimit();
  const names = weightNames(source, config);
  const elements = names.reduce((sum, name) => sum + count(source.shape(name)!), 0);
  const bytes = elements * (type === 'bfloat16' ? 2 : 4);
  if (type === 'float64' || bytes < smallest || bytes > limit) return null;
  const from = fileIdentity(source.path);
  const folder = join(cache, 'weights');
  const title = `${basename(from.path).replace(/\.gguf$/i, '')}-${shortHash(from.path)}`;
  const path = join(folder, `${title}.${type}.safetensors`);
  const maker = shortHash(codeVersion(), JSON.stringify(config));
  // GGUF's linear layers lie as [out, in] whatever the family.
  const open = (): WeightSource =>
    openSafetensorsSource(path, config, { transposedLinears: source.transposedLinears });
  if (isWhole(path, from, maker)) return open();
  // A file that is still being written would be kept half.
  if (!isSettled(from.path, options.settledAfter)) return null;
  try {
    makeRoom(folder, { limit, needed: bytes, except: path });
    writeSafetensors(
      path,
      names.map((name) => weightToWrite(source, name, type)),
      { made_from: from.path },
    );
    if (fileIdentity(from.path).version !== from.version) return null;
    const record = { source: from, maker, entry: fileIdentity(path), checksum: checksum(path) };
    writeRecord(path, record);
    return open();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    notice(
      `the dequantised weights of ${from.path} were not kept in ${folder}, so the next start takes as long: ${message}`,
    );
    return null;
  }
}

function weightToWrite(source: WeightSource, name: string, type: ComputeType) {
  const shape = source.shape(name)!;
  const dtype = type === 'bfloat16' ? 'BF16' : 'F32';
  const data = (): Uint8Array => {
    using tensor = source.read(name, type);
    return (tensorToWrite(name, tensor, dtype).data as () => Uint8Array)();
  };
  return { name, dtype, shape, data } as const;
}

/** Those that the model has, of all that the file holds. */
function weightNames(source: WeightSource, config: DecoderConfig): string[] {
  return plannedModules(config).flatMap(({ name }) =>
    [`${name}.weight`, `${name}.bias`].filter((one) => source.shape(one) !== null),
  );
}

let code: string | undefined;

/**
 * Of the sources that say which numbers come out: whoever changes them need not remember a version.
 */
function codeVersion(): string {
  if (code !== undefined) return code;
  const hash = createHash('sha256');
  for (const name of [
    '../formats/dequantise',
    '../formats/gguf',
    './gguf-source',
    './gguf-names',
  ]) {
    const own = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
    hash.update(readFileSync(new URL(`${name}${own}`, import.meta.url)));
  }
  code = hash.digest('hex');
  return code;
}

const count = (shape: readonly number[]): number =>
  shape.reduce((product, extent) => product * extent, 1);
