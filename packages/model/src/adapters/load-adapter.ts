import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fromBytes, type Tensor, tidy } from '@keel/torch';
import type { Decoder } from '../decoder.ts';
import { CheckpointError } from '../formats/checkpoint-error.ts';
import { inPlainWords } from '../formats/engine-words.ts';
import { openSafetensors, type TensorFile } from '../formats/safetensors.ts';
import { withinTime } from '../formats/within-time.ts';
import { PEFT_SCORE_WEIGHT } from '../heads/score-head.ts';
import type { Linear, LoraPair } from '../linear.ts';
import { linearLayers } from '../loading/named-weights.ts';
import { allFinite, nonFinite } from '../loading/non-finite.ts';
import { floatTypeOf } from '../loading/safetensors-source.ts';
import {
  type AdapterConfig,
  isTargeted,
  mergeFirst,
  parseAdapterConfig,
  rankAndScale,
} from './adapter-config.ts';
import { adapterParameters, peftKey, refuseTakenName } from './lora.ts';
import { namedBase } from './other-base.ts';
import { layersOfBlocks } from './target-modules.ts';

/** How an adapter is loaded. */
export interface LoadAdapterOptions {
  /** The parameters require gradients (default: false). */
  trainable?: boolean;
  /**
   * A scalar head beside the adapter is ignored, for {@link loadAdapterHead} to read. By default
   * such an adapter is an error.
   */
  leaveHead?: boolean;
}

/**
 * Applies an adapter saved by PEFT or Keel to a decoder.
 * @returns its parameters by PEFT's keys, float32
 * @throws CheckpointError if the files are damaged, do not fit the model, or use a feature that
 *   Keel does not support (such as DoRA); RangeError if the name is taken
 */
export function loadAdapter(
  decoder: Decoder,
  folder: string,
  name: string,
  options: LoadAdapterOptions = {},
): Map<string, Tensor> {
  refuseTakenName(decoder, name);
  return inPlainWords(
    (reason, cause) =>
      new CheckpointError({ file: folder }, `the adapter cannot be read: ${reason}`, { cause }),
    () => readAdapter(decoder, folder, name, options),
  );
}

function readAdapter(
  decoder: Decoder,
  folder: string,
  name: string,
  { trainable = false, leaveHead = false }: LoadAdapterOptions,
): Map<string, Tensor> {
  const configPath = join(folder, 'adapter_config.json');
  if (!existsSync(configPath) && existsSync(join(folder, 'final', 'adapter_config.json'))) {
    throw new CheckpointError(
      { file: configPath },
      `is missing: ${folder} is a run folder. Its adapter is in ${join(folder, 'final')}`,
    );
  }
  if (!existsSync(configPath)) refuseOtherFolder(folder, configPath);
  const config = parseAdapterConfig(configPath, readJson(configPath));
  const path = join(folder, 'adapter_model.safetensors');
  if (!existsSync(path)) {
    throw new CheckpointError({ file: path }, 'is missing. Save the adapter as safetensors');
  }
  using file = openSafetensors(path);
  if (file.has(PEFT_SCORE_WEIGHT) && !leaveHead) {
    throw new CheckpointError(
      { file: path, tensor: PEFT_SCORE_WEIGHT },
      'belongs to a reward model, which returns scores and cannot generate text. Pass it as --reward, for example to `keel score`',
    );
  }
  const layers = layersInFile(path, file, decoder);
  const ranksAndScales = matching(configPath, () => {
    refuseOtherLayers(path, config, decoder, layers);
    return layers.map(({ name: module }) => rankAndScale(configPath, config, module));
  });
  const ranks = layers.map((layer, index) => {
    const { rank, scale } = ranksAndScales[index]!;
    const [out, input] = layer.weight.shape as [number, number];
    checkShape(path, file, peftKey(layer.name, 'A'), [rank, input]);
    checkShape(path, file, peftKey(layer.name, 'B'), [out, rank]);
    return scale;
  });
  const pairs = layers.map((layer, index): LoraPair => {
    const read = (matrix: 'A' | 'B'): Tensor => {
      const key = peftKey(layer.name, matrix);
      const tensor = readFloat32(path, file, key, layer.weight.device);
      if (!allFinite(tensor)) throw nonFinite(path, key);
      return trainable ? tensor.setRequiresGrad() : tensor;
    };
    return { a: read('A'), b: read('B'), scale: ranks[index]!, dropout: config.lora_dropout };
  });
  layers.forEach((layer, index) => void layer.adapters.set(name, pairs[index]!));
  return adapterParameters(decoder, name);
}

/** Evaluates the adapter's regular expressions, on the names of this model's modules. */
const matching = <Result>(configPath: string, body: () => Result): Result =>
  withinTime(
    10_000,
    body,
    () =>
      new CheckpointError(
        { file: configPath },
        'its patterns (target_modules, rank_pattern and the like) take more than 10 seconds to match the module names. List the modules instead of using a regular expression',
      ),
  );

/**
 * The scalar head that PEFT or Keel saved beside an adapter.
 * @returns [K, hidden] float32; null if there is none
 * @throws CheckpointError if the file is damaged or the head has another model's width
 */
export function loadAdapterHead(
  { config: { hiddenSize } }: Pick<Decoder, 'config'>,
  folder: string,
  { device, trainable = false }: { device: string; trainable?: boolean },
): Tensor | null {
  const path = join(folder, 'adapter_model.safetensors');
  if (!existsSync(path)) return null;
  using file = openSafetensors(path);
  if (!file.has(PEFT_SCORE_WEIGHT)) return null;
  const [heads = 1] = file.info(PEFT_SCORE_WEIGHT).shape;
  checkShape(path, file, PEFT_SCORE_WEIGHT, [heads, hiddenSize]);
  const head = readFloat32(path, file, PEFT_SCORE_WEIGHT, device);
  return trainable ? head.setRequiresGrad() : head;
}

/** @throws CheckpointError saying what the folder is, and how to use it */
function refuseOtherFolder(folder: string, configPath: string): never {
  const isModel = existsSync(join(folder, 'config.json'));
  if (isModel || folder.endsWith('.gguf')) {
    throw new CheckpointError(
      { file: folder },
      'is a whole model, not an adapter. Pass it as --model instead of --adapter',
    );
  }
  throw new CheckpointError(
    { file: configPath },
    existsSync(folder)
      ? 'is missing: expected an adapter folder as saved by PEFT'
      : 'is missing, since there is no such folder: expected an adapter folder as saved by PEFT',
  );
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new CheckpointError({ file: path }, `is not JSON: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** The names of the embedding and of the output head in all families. */
const ofEmbedding =
  /(?:^|\.)(?:lm_head|embed_tokens|embed_in|embed_out|wte|word_embeddings|lora_embedding_[AB])(?:\.|$)/;

/**
 * The layers that the file has a pair for, in the decoder's order. Every tensor must belong to one.
 */
function layersInFile(path: string, file: TensorFile, decoder: Decoder): Linear[] {
  const layers = linearLayers(decoder);
  const expected = new Set(layers.flatMap(({ name }) => [peftKey(name, 'A'), peftKey(name, 'B')]));
  const stray = file.names().find((key) => !expected.has(key) && key !== PEFT_SCORE_WEIGHT);
  if (stray !== undefined && ofEmbedding.test(stray)) {
    throw new CheckpointError(
      { file: path, tensor: stray },
      `belongs to the embedding or the output head, but Keel supports adapters only on the linear layers of the blocks. ${mergeFirst}`,
    );
  }
  if (stray !== undefined) {
    throw new CheckpointError(
      { file: path, tensor: stray },
      `belongs to no linear layer of this ${decoder.config.family} model, whose keys look like ${peftKey(layers[0]!.name, 'A')}${trainedOn(path)}`,
    );
  }
  const found = layers.filter(
    ({ name }) => file.has(peftKey(name, 'A')) || file.has(peftKey(name, 'B')),
  );
  if (found.length === 0) throw new CheckpointError({ file: path }, 'contains no tensors');
  return found;
}

/**
 * The file must have tensors for exactly the layers that the configuration targets. PEFT would
 * reinitialise missing ones and ignore the others.
 */
function refuseOtherLayers(
  path: string,
  config: AdapterConfig,
  decoder: Decoder,
  found: readonly Linear[],
): void {
  const { target_modules: targets, layers_to_transform: blocks } = config;
  if (targets == null) return;
  const numbers = [blocks ?? []].flat();
  if (numbers.length > 0) refuseUnknownBlocks(path, decoder, numbers);
  const present = new Set(found);
  const shown = typeof targets === 'string' ? targets : targets.join(', ');
  for (const layer of linearLayers(decoder)) {
    if (isTargeted(path, config, layer.name) === present.has(layer)) continue;
    throw new CheckpointError(
      { file: path, tensor: peftKey(layer.name, 'A') },
      present.has(layer)
        ? `is in the file, though adapter_config.json does not target its layer (target_modules ${shown}): PEFT would ignore it. Correct target_modules, exclude_modules or layers_to_transform, or remove the tensor`
        : `is missing, although target_modules is ${shown}`,
    );
  }
}

function refuseUnknownBlocks(path: string, decoder: Decoder, blocks: readonly number[]): void {
  try {
    layersOfBlocks(decoder, blocks);
  } catch (cause) {
    const { message } = cause as Error;
    throw new CheckpointError({ file: path }, `its layers_to_transform: ${message}`, { cause });
  }
}

function checkShape(path: string, file: TensorFile, key: string, expected: number[]): void {
  const { shape } = file.info(key);
  if (shape.length === 2 && shape[0] === expected[0] && shape[1] === expected[1]) return;
  throw new CheckpointError(
    { file: path, tensor: key },
    `has shape [${shape.join(', ')}], expected [${expected.join(', ')}] from adapter_config.json and the model${trainedOn(path)}`,
  );
}

/** The base that the adapter names, as advice for one that does not fit. */
function trainedOn(path: string): string {
  const base = namedBase(dirname(path));
  return base === null ? '' : `. The adapter names ${base} as its base: pass that as --model`;
}

function readFloat32(path: string, file: TensorFile, key: string, device: string): Tensor {
  const { dtype, shape } = file.info(key);
  const type = floatTypeOf(path, key, dtype);
  return tidy(() => fromBytes(file.read(key), type, shape).to({ dtype: 'float32', device })).keep();
}
