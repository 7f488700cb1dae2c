import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Device, torchBuild, trimMemory } from '@keel/torch';
import { hasFastBfloat16 } from './cpu-features.ts';
import { CheckpointError } from './formats/checkpoint-error.ts';
import { LanguageModel } from './language-model.ts';
import { loadDecoder } from './loading/load-decoder.ts';
import { disposeDecoder } from './loading/named-weights.ts';
import { DEFAULT_MODEL_NAME, isDefaultModel, resolveModel } from './resolve-model.ts';
import type { LoadTokenizerOptions } from './tokenizer/load-options.ts';
import { tokenizerFromFolder } from './tokenizer/tokenizer-from-folder.ts';
import { tokenizerFromGguf } from './tokenizer/tokenizer-from-gguf.ts';

export type Precision = 'auto' | 'fp32' | 'bf16';

export interface LoadModelOptions extends LoadTokenizerOptions {
  /** bf16 or fp32 products; auto: bf16 where the machine has it fast. */
  precision?: Precision;
  /** auto: the accelerator where there is one. */
  device?: Device | 'auto';
  /** The weights are float32 parameters (full fine-tuning) and not frozen. */
  trainable?: boolean;
  /**
   * A sequence classifier is loaded too, its scalar head in the role `reference`; else it is
   * refused: it writes no text.
   */
  classifier?: boolean;
  /**
   * Told why dequantised weights were not kept in the cache; a warning of the process unless given.
   */
  notice?(text: string): void;
}

/** 'auto' as a device. @throws Error when CUDA is asked for and absent */
export function resolveDevice(device: Device | 'auto' = 'auto'): Device {
  const { cudaDevices } = torchBuild();
  if (device === 'auto') return cudaDevices > 0 ? 'cuda' : 'cpu';
  if (device.startsWith('cuda') && cudaDevices === 0) {
    throw new Error(
      `--device ${device}: this LibTorch finds no CUDA device. \`keel doctor\` says what was found`,
    );
  }
  return device;
}

/**
 * 'auto' as a type of products: bf16 where the machine has it fast and the weights stay as they
 * are. Full fine-tuning at its small rates changes weights by less than a step of bfloat16, which
 * the products would not see: fp32.
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
 * @param name a folder as transformers saves it, a GGUF file of any name,
 *   `hub:owner/name[@revision]`, or the default model's name
 * @throws CheckpointError when its files are damaged or of an unknown kind
 */
export async function loadModel(
  name: string,
  options: LoadModelOptions = {},
): Promise<LanguageModel> {
  const path = await resolveModel(name);
  const device = resolveDevice(options.device);
  const precision = resolvePrecision(options.precision ?? 'auto', device, options.trainable);
  const { decoder, configJson, scoreHead, ggufMetadata, weightHash } = await loadDecoder(path, {
    computeType: precision === 'bf16' ? 'bfloat16' : 'float32',
    device,
    trainable: options.trainable ?? false,
    notice: options.notice,
  });
  try {
    const tokenizer =
      ggufMetadata === null
        ? tokenizerFromFolder(path, options)
        : tokenizerFromGguf(ggufMetadata, path, options);
    // The file's bytes and the vocabulary's strings came and went.
    trimMemory();
    const parts = {
      ...{ decoder, tokenizer, device, configJson, hash: weightHash },
      name: isDefaultModel(name) ? DEFAULT_MODEL_NAME : name,
      generationConfig: ggufMetadata === null ? textOf(join(path, 'generation_config.json')) : null,
    };
    const model = new LanguageModel(parts);
    if (scoreHead !== null && !options.classifier) {
      throw new CheckpointError(
        { file: path },
        'is a reward model, a sequence classifier: it gives scores and no text. `keel score --reward` takes it',
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
