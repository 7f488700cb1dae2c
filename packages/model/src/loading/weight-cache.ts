// Caches dequantised weights, so that the next start maps them instead of computing them again.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { addonBuild } from '@keel/torch';
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

// Below this size, dequantising takes negligible time.
const SMALLEST = 16e6;

export interface WeightCacheOptions {
  /** Receives the reason why weights were not cached. */
  notice(text: string): void;
  /** Keel's cache folder. */
  cache?: string;
  /** Smaller models, in bytes, are not cached. */
  smallest?: number;
  /** Milliseconds after the file's last change at which it counts as finished. */
  settledAfter?: number;
}

/**
 * The weights of a quantised file from the cache, mapped. If they are not cached, they are computed
 * and stored first, replacing those of an earlier version of the file. Several processes may do so
 * at the same time.
 * @param source the file's weights, already checked against `config`
 * @returns null if they are not cached: the cache is off or not writable, or the model is very
 *   small or too large
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
  // GGUF's linear layers are [out, in] in every family.
  const open = (): WeightSource =>
    openSafetensorsSource(path, config, { transposedLinears: source.transposedLinears });
  if (isWhole(path, from, maker)) return open();
  // A file that is still being written would be cached incomplete.
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
      `the dequantised weights of ${from.path} could not be cached in ${folder}, so the next start will be as slow: ${message}`,
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

/** Names of the file's tensors that the model uses. */
function weightNames(source: WeightSource, config: DecoderConfig): string[] {
  return plannedModules(config).flatMap(({ name }) =>
    [`${name}.weight`, `${name}.bias`].filter((one) => source.shape(one) !== null),
  );
}

let code: string | undefined;

/**
 * Hash of the source files that determine the numbers, so that no version number has to be
 * maintained.
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
  // Blocks are expanded by the addon.
  hash.update(addonBuild());
  code = hash.digest('hex');
  return code;
}

const count = (shape: readonly number[]): number =>
  shape.reduce((product, extent) => product * extent, 1);
