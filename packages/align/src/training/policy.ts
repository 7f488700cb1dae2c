// What a run trains: an adapter on a frozen base, or the whole model.
import {
  adapterNames,
  addLora,
  type LanguageModel,
  type LoraOptions,
  loadAdapter,
  loadModel,
  namedWeights,
  type Role,
  removeAdapter,
  resolveDevice,
  resolvePrecision,
  saveAdapter,
  saveModel,
  writeGenerationConfig,
} from '@keel/model';
import { type Division, manualSeed, type Tensor } from '@keel/torch';
import type { AnswerConstraints } from '../batching/answer-constraints.ts';
import { templateSettings } from '../config/template-options.ts';
import type { TrainingOptions } from '../config/training-options.ts';
import { workers } from '../sharing/workers.ts';

/** The adapter that is trained. */
const POLICY = 'policy';

export interface Policy extends Disposable {
  model: LanguageModel;
  /** Role in which it scores: the adapter's name, or `reference` for the base itself. */
  role: Role;
  /** Trained parameters by name. */
  parameters: Map<string, Tensor>;
  precision: 'fp32' | 'bf16';
  /** What its answers match (default: anything). */
  constraints?: AnswerConstraints;
  /** About: the bytes that `saveWeights` writes, in float32, with the tokenizer. */
  weightBytes(): number;
  /** Writes an adapter in PEFT's format, or a model in that of transformers. */
  saveWeights(folder: string): Promise<void> | void;
}

/**
 * Seeds the random state, loads the model, and applies a new or a given adapter to it.
 * @param role name of the adapter
 * @param takesHead model and adapter may be those of a reward model, with a scalar head
 * @param base the loaded model: adapters that are added to it are removed at the end, and the
 *   caller still owns it
 * @throws CheckpointError when a file of the model or the adapter is not valid
 */
export async function loadPolicy(
  options: TrainingOptions,
  {
    role = POLICY,
    takesHead = false,
    base: given,
  }: { role?: Role; takesHead?: boolean; base?: LanguageModel | undefined } = {},
): Promise<Policy> {
  const divides = divisionOf(options);
  // A given model is whole.
  const base = divides === null ? given : undefined;
  const device = resolveDevice(options.device);
  for (const one of new Set(['cpu', device])) manualSeed(options.seed, one);
  const precision = resolvePrecision(options.precision, device, !options.lora);
  if (base !== undefined && !options.lora) throw new Error('full fine-tuning needs its own model');
  const template = templateSettings(options, options.adapter);
  const model =
    base ??
    (await loadModel(options.model, {
      ...{ precision, device, trainable: !options.lora, divides },
      basePrecision: options.basePrecision,
      classifier: takesHead,
      template,
    }));
  const before = adapterNames(model.decoder);
  // A moving reference is an adapter next to the policy's.
  const takeOff = (): void => {
    const added = adapterNames(model.decoder).filter((name) => !before.includes(name));
    for (const name of added) removeAdapter(model.decoder, name);
  };
  try {
    const parameters = trainedParameters(model, options, role, takesHead);
    return {
      model,
      role: options.lora ? role : 'reference',
      parameters,
      precision,
      weightBytes: () =>
        [...parameters.values()].reduce((sum, { size }) => sum + 4 * size, 0) +
        Buffer.byteLength(model.tokenizer.definition()),
      async saveWeights(folder) {
        const { decoder, configJson, tokenizer, generationConfig } = model;
        if (!options.lora) {
          saveModel(folder, decoder, configJson, tokenizer, { dtype: 'F32', generationConfig });
          return;
        }
        const base = { baseModel: model.name, baseHash: await model.hash() };
        saveAdapter(folder, decoder, role, base);
        // AutoTokenizer and vLLM look for them next to the adapter.
        tokenizer.save(folder);
        writeGenerationConfig(folder, { generationConfig, configJson, tokenizer });
      },
      [Symbol.dispose]: () => (base === undefined ? model.dispose() : takeOff()),
    };
  } catch (error) {
    if (base === undefined) model.dispose();
    throw error;
  }
}

/** What divides the weights of a run's models among its processes; null: each has all. */
export const divisionOf = ({ shard }: Pick<TrainingOptions, 'shard'>): Division | null =>
  shard === 'full' ? (workers()?.division ?? null) : null;

function trainedParameters(
  model: LanguageModel,
  options: TrainingOptions,
  role: Role,
  takesHead: boolean,
): Map<string, Tensor> {
  if (!options.lora) return namedWeights(model.decoder);
  if (options.adapter !== null) {
    return loadAdapter(model.decoder, options.adapter, role, {
      trainable: true,
      leaveHead: takesHead,
    });
  }
  return addLora(model.decoder, role, loraOptionsOf(options));
}

/** The shape of a new adapter. */
export const loraOptionsOf = (options: TrainingOptions): LoraOptions => ({
  rank: options.loraRank,
  alpha: options.loraAlpha,
  dropout: options.loraDropout,
  targets: options.loraTargets.includes('all-linear') ? 'all-linear' : options.loraTargets,
  layers: options.loraLayers === null ? null : layerNumbers(options.loraLayers),
  seed: options.seed,
});

/** ["0", "20-22"] -> [0, 20, 21, 22] */
function layerNumbers(texts: readonly string[]): number[] {
  return texts.flatMap((text) => {
    const [first, last = first] = text.split('-').map(Number) as [number, number?];
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}
