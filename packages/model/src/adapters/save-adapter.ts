import { join } from 'node:path';
import type { Tensor } from '@keel/torch';
import type { Decoder } from '../decoder.ts';
import { writeSafetensors } from '../formats/safetensors-writer.ts';
import { PEFT_SCORE_WEIGHT } from '../heads/score-head.ts';
import { tensorToWrite } from '../loading/tensor-to-write.ts';
import { writeFolder, writeJson } from '../loading/write-folder.ts';
import {
  BASE_HASH_METADATA,
  BASE_METADATA,
  baseReference,
  canonicalModelName,
} from './base-reference.ts';
import { adaptedLayers, adapterParameters } from './lora.ts';
import { blocksOfLayers, layersOfBlocks, shortestTargets } from './target-modules.ts';

/** What an adapter says about its base. */
export interface SaveAdapterOptions {
  /** The base's name, in the form that `loadModel` takes. */
  baseModel: string;
  /** SHA-256 of the base's files: `LanguageModel.hash`. */
  baseHash?: string;
  /** Writes the scale as alpha / sqrt(rank). The result is the same either way. */
  useRslora?: boolean;
  /**
   * A scalar head [K, hidden]: PEFT then loads the adapter onto a sequence classifier (task_type
   * SEQ_CLS).
   */
  scoreHead?: Tensor | null;
}

/**
 * Writes adapter_config.json and adapter_model.safetensors as PEFT does, in float32.
 * @throws RangeError if there is no such adapter
 */
export function saveAdapter(
  folder: string,
  decoder: Decoder,
  name: string,
  { baseModel, baseHash, useRslora = false, scoreHead = null }: SaveAdapterOptions,
): void {
  const config = {
    ...peftConfig(decoder, name, baseModel, useRslora),
    // PEFT adds both names that a classifier's head may have.
    ...(scoreHead && { task_type: 'SEQ_CLS', modules_to_save: ['classifier', 'score'] }),
  };
  const tensors = [...adapterParameters(decoder, name)].map(([key, tensor]) =>
    tensorToWrite(key, tensor, 'F32'),
  );
  if (scoreHead !== null) tensors.push(tensorToWrite(PEFT_SCORE_WEIGHT, scoreHead, 'F32'));
  writeFolder(folder, (inside) => {
    writeSafetensors(join(inside, 'adapter_model.safetensors'), tensors, {
      format: 'pt',
      [BASE_METADATA]: canonicalModelName(baseModel),
      ...(baseHash !== undefined && { [BASE_HASH_METADATA]: baseHash }),
    });
    writeJson(join(inside, 'adapter_config.json'), config);
  });
}

function peftConfig(decoder: Decoder, name: string, baseModel: string, useRslora: boolean) {
  const adapted = adaptedLayers(decoder, name).map(({ layer, pair }) => {
    const rank = pair.a.dim(0);
    // The quotient was rounded: 12 digits restore the original number.
    const alpha = Number((pair.scale * (useRslora ? Math.sqrt(rank) : rank)).toPrecision(12));
    return { layer, rank, alpha, dropout: pair.dropout };
  });
  const layers = adapted.map(({ layer }) => layer);
  const blocks = blocksOfLayers(decoder, layers);
  const rank = mostCommon(adapted.map((one) => one.rank));
  const alpha = mostCommon(adapted.map((one) => one.alpha));
  const own = (value: 'rank' | 'alpha', usual: number): Record<string, number> =>
    Object.fromEntries(
      adapted
        .filter((one) => one[value] !== usual)
        .map((one) => [one.layer.name.replaceAll('.', '\\.'), one[value]]),
    );
  return {
    ...baseReference(baseModel),
    alpha_pattern: own('alpha', alpha),
    auto_mapping: null,
    bias: 'none',
    fan_in_fan_out: decoder.config.transposedLinears,
    inference_mode: true,
    init_lora_weights: true,
    layers_pattern: null,
    layers_to_transform: blocks,
    lora_alpha: alpha,
    lora_dropout: adapted[0]!.dropout,
    modules_to_save: null,
    peft_type: 'LORA',
    r: rank,
    rank_pattern: own('rank', rank),
    target_modules: shortestTargets(layersOfBlocks(decoder, blocks), layers),
    task_type: 'CAUSAL_LM',
    use_dora: false,
    use_rslora: useRslora,
  };
}

function mostCommon(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]![0];
}
