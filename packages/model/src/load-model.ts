import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Device, readLaunch, torchBuild, trimMemory } from '@keel/torch';
import { hasFastBfloat16 } from './cpu-features.ts';
import type { Divides } from './divided-weights.ts';
import { CheckpointError } from './formats/checkpoint-error.ts';
import { LanguageModel } from './language-model.ts';
import type { BasePrecision } from './loading/base-weights.ts';
import { loadDecoder } from './loading/load-decoder.ts';
import { disposeDecoder } from './loading/named-weights.ts';
import { DEFAULT_MODEL_NAME, isDefaultModel, resolveModel } from './resolve-model.ts';
import type { LoadTokenizerOptions } from './tokenizer/load-options.ts';
import { tokenizerFromFolder } from './tokenizer/tokenizer-from-folder.ts';
import { tokenizerFromGguf } from './tokenizer/tokenizer-from-gguf.ts';

/** The type of products: bfloat16 or float32. */
export type Precision = 'auto' | 'fp32' | 'bf16';

/** How a model is loaded. */
export interface LoadModelOptions extends LoadTokenizerOptions {
  /** bf16 or fp32 products; auto: bf16 on machines where it is fast. */
  precision?: Precision;
  /** How frozen matrices are held; default: as `precision` says. */
  basePrecision?: BasePrecision | 'auto' | undefined;
  /** auto: the accelerator, if there is one. */
  device?: Device | 'auto';
  /** Loads the weights as float32 parameters (full fine-tuning) instead of frozen ones. */
  trainable?: boolean;
  /** Divides the weights among processes (default: each has all). */
  divides?: Divides | null | undefined;
  /**
   * Also accepts a sequence classifier, and loads its scalar head for the role `reference`. By
   * default a classifier is an error, because it cannot generate text.
   */
  classifier?: boolean;
  /** Whether the dequantised weights of a GGUF file may be cached on disk (default: true). */
  weightCache?: boolean;
  /** Receives the reason why dequantised weights were not cached (default: a process warning). */
  notice?(text: string): void;
}

/**
 * Resolves the device 'auto', and which GPU a process has that was started with others.
 * @throws Error if CUDA is requested but not available
 */
export function resolveDevice(device: Device | 'auto' = 'auto'): Device {
  const { cudaDevices } = torchBuild();
  if (device === 'auto') return cudaDevices > 0 ? resolveDevice('cuda') : 'cpu';
  if (device.startsWith('cuda') && cudaDevices === 0) {
    throw new Error(
      `--device ${device}: this LibTorch finds no CUDA device. \`keel doctor\` shows what was found`,
    );
  }
  const launch = device === 'cuda' ? readLaunch() : null;
  return launch === null ? device : `cuda:${launch.localRank % cudaDevices}`;
}

/**
 * Resolves the precision 'auto': bf16 if the machine has it fast and the weights are frozen. Full
 * fine-tuning uses fp32, because its small learning rates change weights by less than one bfloat16
 * step, which bf16 products would not see.
 */
export function resolvePrecision(
  precision: Precision,
  device: Device,
  trainable = false,
): 'fp32' | 'bf16' {
  if (precision !== 'auto') return precision;
  if (trainable) return 'fp32';
  return device.startsWith('cuda') || hasFastBfloat16() ? 'bf16' : 'fp32';
}

const textOf = (path: string): string | null =>
  existsSync(path) ? readFileSync(path, 'utf8') : null;

/**
 * Loads a model with its tokenizer.
 * @param name a folder in transformers' format, a GGUF file of any name,
 *   `hub:owner/name[@revision]`, or the default model's name
 * @throws CheckpointError if its files are damaged or of an unknown kind
 */
export async function loadModel(
  name: string,
  options: LoadModelOptions = {},
): Promise<LanguageModel> {
  const path = await resolveModel(name);
  const device = resolveDevice(options.device);
  const precision = resolvePrecision(options.precision ?? 'auto', device, options.trainable);
  const basePrecision = options.basePrecision === 'auto' ? undefined : options.basePrecision;
  const loaded = await loadDecoder(path, {
    computeType: precision === 'bf16' ? 'bfloat16' : 'float32',
    device,
    trainable: options.trainable ?? false,
    basePrecision,
    divides: options.divides,
    weightCache: options.weightCache ?? true,
    notice: options.notice,
  });
  const { decoder, configJson, scoreHead, ggufMetadata, weightHash, stored } = loaded;
  try {
    const tokenizer =
      ggufMetadata === null
        ? tokenizerFromFolder(path, options)
        : tokenizerFromGguf(ggufMetadata, path, options);
    // Frees the memory that reading the file and the vocabulary used.
    trimMemory();
    const parts = {
      ...{ decoder, tokenizer, device, configJson, stored, hash: weightHash },
      basePrecision: basePrecision ?? null,
      name: isDefaultModel(name) ? DEFAULT_MODEL_NAME : name,
      generationConfig: ggufMetadata === null ? textOf(join(path, 'generation_config.json')) : null,
    };
    const model = new LanguageModel(parts);
    if (scoreHead !== null && !options.classifier) {
      throw new CheckpointError(
        { file: path },
        'is a reward model (a sequence classifier), which returns scores and cannot generate text. Pass it as --reward, for example to `keel score`',
      );
    }
    if (scoreHead !== null) model.addScoreHead('reference', scoreHead);
    return model;
  } catch (error) {
    disposeDecoder(decoder);
    scoreHead?.dispose();
    throw error;
  }
}
