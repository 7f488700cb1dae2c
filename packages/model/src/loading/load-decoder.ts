import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Device, ops, type Tensor, tidy } from '@keel/torch';
import type { Decoder } from '../decoder.ts';
import type { DecoderConfig } from '../decoder-config.ts';
import type { Divides } from '../divided-weights.ts';
import { ConfigError } from '../families/config-error.ts';
import { decoderConfigFrom } from '../families/registry.ts';
import { CheckpointError } from '../formats/checkpoint-error.ts';
import { inPlainWords } from '../formats/engine-words.ts';
import { openGguf } from '../formats/gguf.ts';
import { shownText } from '../formats/shown-text.ts';
import { WatchedFile } from '../formats/watched-file.ts';
import { isClassifier, labelsOf } from '../heads/classifier-config.ts';
import { SCORE_WEIGHT } from '../heads/score-head.ts';
import type { BasePrecision } from './base-weights.ts';
import { type BuildOptions, buildDecoder, type ComputeType } from './build-decoder.ts';
import { checkWeights } from './check-weights.ts';
import { ggufConfigJson } from './gguf-config.ts';
import { openGgufSource } from './gguf-source.ts';
import { hashFiles, modelFiles } from './hash-files.ts';
import { disposeDecoder, linearLayers } from './named-weights.ts';
import { openSafetensorsSource } from './safetensors-source.ts';
import { samplingLimitsNotice } from './sampling-limits.ts';
import { type StoredWeights, storedWeights } from './stored-weights.ts';
import { cachedWeights } from './weight-cache.ts';
import type { WeightSource } from './weight-source.ts';

export interface LoadDecoderOptions {
  /** Type of activations and products, and of frozen weights. */
  computeType: ComputeType;
  device?: Device;
  /**
   * Loads the weights as float32 parameters with gradients (full fine-tuning) instead of frozen
   * ones.
   */
  trainable?: boolean;
  /**
   * How frozen matrices are held (default: as elements of the compute type). Any other form needs
   * frozen weights on the CPU, and a compute type of 16 or 32 bits.
   */
  basePrecision?: BasePrecision | undefined;
  /**
   * Divides the weights among processes (default: each has all).
   */
  divides?: Divides | null | undefined;
  /** Whether the dequantised weights of a file may be cached on disk (default: true). */
  weightCache?: boolean;
  /**
   * Receives notices about fields of the files that have no effect, and the reason why dequantised
   * weights were not cached (default: a process warning).
   */
  notice?(text: string): void;
}

export interface LoadedDecoder {
  decoder: Decoder;
  /** Contents of config.json; for a GGUF file, what transformers would have written. */
  configJson: Record<string, unknown>;
  source: 'safetensors' | 'gguf';
  /** How the files store the weights. */
  stored: StoredWeights;
  /** Scalar head [K, hidden] of a sequence classifier, float32; null for a language model. */
  scoreHead: Tensor | null;
  /** The GGUF file's metadata, including its tokenizer; null for a folder. */
  ggufMetadata: Record<string, unknown> | null;
  /** SHA-256, in hex, of the model's files. Computed at the first call. */
  weightHash(): Promise<string>;
}

/**
 * Loads a decoder from a folder saved by transformers (one file or shards), or from a GGUF file of
 * any name.
 * @throws CheckpointError naming the file, and the tensor or field, if something is damaged,
 *   missing, superfluous or unknown
 */
export const loadDecoder = async (
  path: string,
  options: LoadDecoderOptions,
): Promise<LoadedDecoder> =>
  inPlainWords(
    (reason, cause) => new CheckpointError({ file: path }, `cannot be read: ${reason}`, { cause }),
    () => load(path, options),
  );

async function load(
  path: string,
  {
    computeType,
    device = 'cpu',
    trainable = false,
    basePrecision,
    divides = null,
    weightCache = true,
    notice = warn,
  }: LoadDecoderOptions,
): Promise<LoadedDecoder> {
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  const opened = isFolder ? openFolder(path, notice) : openFile(path, notice);
  using source = opened.source;
  checkWeights(source, opened.config, { scoreHead: opened.classifier });
  if (opened.classifier) checkLabels(source, opened.json);
  const base = basePrecision ?? (computeType === 'bfloat16' ? 'bf16' : 'fp32');
  refuseBase(basePrecision, { computeType, device, trainable });
  const isKept = base === 'kept' || base === 'nf4';
  using cached =
    isFolder || !weightCache || isKept
      ? null
      : cachedWeights(source, opened.config, computeType, { notice });
  const build = { computeType, device, trainable, base, divides };
  const decoder = buildDecoder(cached ?? source, opened.config, build);
  if (base === 'nf4') {
    try {
      reportUnquantised(decoder, path, notice);
    } catch (error) {
      disposeDecoder(decoder);
      throw error;
    }
  }
  // Parameters are copies; all other weights may be mapped from the files.
  if (!trainable && device === 'cpu' && divides === null) {
    decoder.files = (cached ?? source).mappedFiles().map((file) => new WatchedFile(file));
  }
  const scoreHead = opened.classifier ? readScoreHead(source, device, trainable) : null;
  let hash: Promise<string> | undefined;
  return {
    decoder,
    configJson: opened.json,
    scoreHead,
    source: isFolder ? 'safetensors' : 'gguf',
    stored: storedWeights(source, isFolder ? 'safetensors' : 'GGUF'),
    ggufMetadata: opened.ggufMetadata,
    weightHash: () => {
      hash ??= hashFiles(isFolder ? modelFiles(path) : [path]);
      return hash;
    },
  };
}

/** @throws CheckpointError if no layer of the model fits NF4 */
function reportUnquantised(decoder: Decoder, file: string, notice: (text: string) => void): void {
  const layers = linearLayers(decoder);
  const left = layers.filter(({ weight }) => !ops.isQuantised(weight));
  if (left.length === 0) return;
  const why = `rows of ${left[0]!.name} have ${left[0]!.weight.dim(1)} weights, which are not whole blocks of 64`;
  if (left.length === layers.length) {
    throw new CheckpointError(
      { file },
      `--base-precision nf4: no linear layer can be quantised, because ${why}. Use --base-precision auto`,
    );
  }
  notice(
    `${file}: ${left.length} of ${layers.length} linear layers are not held in NF4, because ${why}`,
  );
}

/** @throws RangeError if weights cannot be held like this */
function refuseBase(
  base: BasePrecision | undefined,
  { computeType, device, trainable }: Omit<BuildOptions, 'base' | 'divides'>,
): void {
  const refuse = (why: string): never => {
    throw new RangeError(`--base-precision ${base}: ${why}`);
  };
  if (base === undefined) return;
  if (trainable) {
    refuse('only weights that are not trained can be held in another type. Train with --lora true');
  }
  if (device !== 'cpu') refuse(`weights on ${device} are held in the type of --precision`);
  if (computeType === 'float64') refuse('weights in float64 are held as they are computed');
  if (base === 'fp32' && computeType === 'bfloat16') {
    refuse('with --precision bf16, products round weights to bf16. Use --base-precision bf16');
  }
}

interface Opened {
  source: WeightSource;
  config: DecoderConfig;
  json: Record<string, unknown>;
  ggufMetadata: Record<string, unknown> | null;
  classifier: boolean;
}

const warn = (text: string): void => process.emitWarning(shownText(text));

function openFolder(folder: string, notice: (text: string) => void): Opened {
  const path = join(folder, 'config.json');
  const json = readConfig(folder, path);
  const classifier = isClassifier(json);
  const config = inFile(path, () => {
    const own = decoderConfigFrom(json, (text) => notice(`${path}: ${text}`));
    // A classifier has no language head.
    return classifier ? { ...own, tieEmbeddings: true } : own;
  });
  const limits = samplingLimitsNotice(folder);
  if (limits !== null) notice(limits);
  const source = openSafetensorsSource(folder, config);
  const opened = { source, json, ggufMetadata: null, classifier };
  if (classifier || !hasOwnHead(source, config)) return { ...opened, config };
  notice(
    `${path}: tie_word_embeddings is true, but the files have a ${config.modules.head}.weight that differs from the embedding. Keel uses it, as transformers does. Set tie_word_embeddings to false to silence this`,
  );
  return { ...opened, config: { ...config, tieEmbeddings: false } };
}

/**
 * Whether the file contains a head whose values differ from the embedding that is meant to serve as
 * the head. Equal ones are tied.
 */
function hasOwnHead(source: WeightSource, { tieEmbeddings, modules }: DecoderConfig): boolean {
  const [head, embedding] = [`${modules.head}.weight`, `${modules.embedding}.weight`];
  if (!tieEmbeddings || source.shape(head) === null || source.shape(embedding) === null) {
    return false;
  }
  try {
    return !source.equal(head, embedding);
  } catch (error) {
    source[Symbol.dispose]();
    throw error;
  }
}

/** With a different number of rows, transformers would reinitialise the head. */
function checkLabels(source: WeightSource, json: Record<string, unknown>): void {
  const rows = source.shape(SCORE_WEIGHT)![0]!;
  const labels = labelsOf(json);
  if (rows === labels.length) return;
  throw new CheckpointError(
    { file: source.path, tensor: SCORE_WEIGHT },
    `has ${rows} ${rows === 1 ? 'row' : 'rows'}, but config.json has ${labels.length} labels (id2label, num_labels; 2 if neither is set). Correct config.json`,
  );
}

function readScoreHead(source: WeightSource, device: Device, trainable: boolean): Tensor {
  // Copied, because what is read may be mapped from the file.
  const head = tidy(() => source.read(SCORE_WEIGHT, 'float32').clone().to({ device })).keep();
  return trainable ? head.setRequiresGrad() : head;
}

function openFile(path: string, notice: (text: string) => void): Opened {
  const file = openGguf(path);
  try {
    const json = ggufConfigJson(path, file, notice);
    const config = inFile(path, () => decoderConfigFrom(json));
    const source = openGgufSource(path, file, config);
    return { source, config, json, ggufMetadata: file.metadata, classifier: false };
  } catch (error) {
    file.close();
    throw error;
  }
}

function readConfig(folder: string, path: string): Record<string, unknown> {
  if (!existsSync(path)) {
    const hint = existsSync(join(folder, 'adapter_config.json'))
      ? 'this folder contains an adapter. Load its base model and apply the adapter to it'
      : 'expected a model folder saved by transformers, or the path of a GGUF file';
    throw new CheckpointError({ file: path }, `is missing: ${hint}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new CheckpointError({ file: path }, `is not JSON: ${(cause as Error).message}`, {
      cause,
    });
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new CheckpointError({ file: path }, 'is not a JSON object');
  }
  return json as Record<string, unknown>;
}

function inFile<T>(path: string, body: () => T): T {
  try {
    return body();
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new CheckpointError({ file: path }, cause.message, { cause });
  }
}
