// What a reward run trains: an adapter or the whole model, and a scalar head on it.
import { readFileSync } from 'node:fs';
import {
  classifierPadToken,
  type LanguageModel,
  labelsOf,
  loadAdapterHead,
  newScoreHead,
  openSafetensors,
  SCORE_WEIGHT,
  saveAdapter,
  saveModel,
} from '@keel/model';
import { cat, fromBytes, noGrad, type Tensor, tensor, tidy } from '@keel/torch';
import {
  type RewardRecord,
  readRewardRecord,
  writeRewardRecord,
} from '../../rewards/reward-record.ts';
import { loadPolicy, type Policy } from '../../training/policy.ts';
import { loadLengthHead, saveLengthHead } from './length-head-file.ts';
import type { RewardOptions } from './reward-options.ts';

/** The adapter and the head that are trained. */
const REWARD = 'reward';

export interface RewardPolicy extends Policy {
  /** Written next to the weights. The normalisation is measured at the end. */
  record: RewardRecord;
}

/**
 * Seeds the random state, loads the model, applies a new or a given adapter, and adds a head.
 * @throws CheckpointError when a file of the model, the adapter or the head is not valid
 * @throws Error where the given head has another number of heads than was asked for
 */
export async function loadRewardPolicy(options: RewardOptions): Promise<RewardPolicy> {
  const loaded = await loadPolicy(options, { role: REWARD, takesHead: true });
  try {
    return withHead(loaded, options);
  } catch (error) {
    loaded[Symbol.dispose]();
    throw error;
  }
}

function withHead(loaded: Policy, options: RewardOptions): RewardPolicy {
  const { model, role } = loaded;
  const { decoder, tokenizer } = model;
  const parameters = new Map(loaded.parameters);
  const head = options.lengthHead ? withLengthHead(model, options) : startOfHead(model, options);
  if (!model.hasScoreHead(role)) model.addScoreHead(role, head);
  if (!options.lora && options.lmWeight === 0 && !decoder.config.tieEmbeddings) {
    // A separate language head is not used, and is not saved.
    parameters.delete(`${decoder.config.modules.head}.weight`);
    decoder.weights.head.setRequiresGrad(false);
  }
  parameters.set(SCORE_WEIGHT, head);
  const own = model.configJson.pad_token_id;
  const padTokenId =
    options.readAt === 'last'
      ? classifierPadToken(tokenizer)
      : typeof own === 'number'
        ? own
        : null;
  const policy: RewardPolicy = {
    ...loaded,
    parameters,
    record: {
      version: 1,
      scores: 'answers',
      read_at: options.readAt,
      pad_token_id: padTokenId,
      step_separator: options.stepSeparator,
      ...(options.chatTemplateKwargs !== null && {
        chat_template_kwargs: options.chatTemplateKwargs,
      }),
      ensemble: { rule: options.ensemble, k: options.ensembleK },
      normalisation: null,
    },
    async saveWeights(folder) {
      // With a length head, the reward model is that of quality alone.
      using reward = options.lengthHead ? rowOf(head, 0) : null;
      const weight = reward ?? head;
      if (options.lora) {
        const base = { baseModel: model.name, baseHash: await model.hash() };
        saveAdapter(folder, decoder, role, { ...base, scoreHead: weight });
        tokenizer.save(folder, { padTokenId });
      } else {
        const scoreHead = { weight, padTokenId };
        saveModel(folder, decoder, model.configJson, tokenizer, { dtype: 'F32', scoreHead });
      }
      if (options.lengthHead) {
        using length = rowOf(head, 1);
        saveLengthHead(folder, length);
      }
      writeRewardRecord(folder, policy.record);
    },
  };
  return policy;
}

/**
 * A notice if transformers reads the score at another token than Keel does, else null: an adapter
 * has no config.json, and the base model's may pad with a token that answers end with.
 */
export function otherReadingNotice(
  { configJson, tokenizer }: Pick<LanguageModel, 'configJson' | 'tokenizer'>,
  { read_at: readAt, pad_token_id: padTokenId }: RewardRecord,
): string | null {
  const { pad_token_id: pad } = configJson;
  const { eosTokenId, endOfTurnIds } = tokenizer;
  if (readAt !== 'last' || typeof pad !== 'number') return null;
  if (pad !== eosTokenId && !endOfTurnIds.has(pad)) return null;
  return (
    `transformers with PEFT reads the score of this adapter at another token: the base model's config.json uses ${JSON.stringify(tokenizer.idToToken(pad))}, ` +
    `which ends answers, as the pad token. After loading, set model.config.pad_token_id = ${padTokenId ?? -1}. keel score needs no setting`
  );
}

/** [1, hidden] with the norm 1, as it is trained. */
const rowOf = (head: Tensor, row: number): Tensor =>
  noGrad(() =>
    tidy(() => {
      const own = head.detach().narrow(0, row, 1);
      return own.div(own.square().sum().sqrt());
    }).keep(),
  );

/**
 * [2, hidden], requiring gradients: the quality head and the length head, as a reward model with
 * both saved them, or drawn.
 */
function withLengthHead(model: LanguageModel, options: RewardOptions): Tensor {
  const { decoder, device } = model;
  const { adapter, seed, lora } = options;
  if (!lora && model.hasScoreHead('reference')) {
    throw new Error(
      `--length-head: ${model.name} is a reward model with one head, which cannot get a second one. Remove --no-lora, or start from a language model`,
    );
  }
  const quality = startOfHead(model, options);
  const { hiddenSize } = decoder.config;
  const known = adapter === null ? null : loadLengthHead(adapter, hiddenSize, device);
  const length = known ?? drawnHead(model, { seed: seed + 1 });
  const heads = quality.dim(0);
  if (heads !== 1) {
    throw new Error(
      `--length-head: the head to start from has ${heads} heads, and the quality head is one. Start from a model with one head`,
    );
  }
  const both = noGrad(() => tidy(() => cat([quality, length]).detach().clone()).keep());
  noGrad(() => {
    quality.dispose();
    length.dispose();
  });
  return both.setRequiresGrad();
}

function drawnHead(
  { decoder, device, configJson }: LanguageModel,
  own: { seed: number; heads?: number },
): Tensor {
  const range = configJson.initializer_range;
  const deviation = typeof range === 'number' ? range : undefined;
  return newScoreHead(decoder, { ...own, deviation, device });
}

/** [K, hidden], requiring gradients: from the file, the adapter, the model, or drawn. */
function startOfHead(model: LanguageModel, options: RewardOptions): Tensor {
  const { decoder, device } = model;
  const { adapter, heads: wanted, seed } = options;
  const owned = model.hasScoreHead('reference') ? model.scoreHead('reference') : null;
  const found =
    (options.head !== null && headFromFile(options.head, device)) ||
    (adapter !== null && loadAdapterHead(decoder, adapter, { device })) ||
    owned;
  if (!found) return drawnHead(model, { heads: wanted ?? 1, seed });
  const [heads, width] = found.shape as [number, number];
  const { hiddenSize } = decoder.config;
  const named = options.head !== null ? `--head ${options.head}` : 'the head to start from';
  if (width !== hiddenSize) {
    throw new Error(
      `${named} has width ${width}, and the hidden states of ${model.name} have ${hiddenSize}: the head belongs to another model. Omit --head to start with a new one`,
    );
  }
  if (wanted !== null && wanted !== heads) {
    throw new Error(
      `${named} has ${heads} ${heads === 1 ? 'head' : 'heads'} and --heads is ${wanted}. Omit --heads, or start from a model without a head`,
    );
  }
  if (found === owned && heads > 1 && readRewardRecord(options.model) === null) {
    const labels = labelsOf(model.configJson).slice(0, 8).join(', ');
    throw new Error(
      `${model.name} is a classifier with ${heads} labels (id2label: ${labels}), and nothing says which of them is the reward. Start from a language model, from a classifier with one label, or from a model that keel reward trained`,
    );
  }
  if (found === owned && !options.lora) return found.setRequiresGrad();
  if (!options.lora && owned !== null) {
    // Full fine-tuning of a reward model from another head: copied into the model's own.
    if (owned.shape.join() !== found.shape.join()) {
      throw new Error(`${named} has ${heads} heads, and ${model.name} has ${owned.dim(0)}`);
    }
    noGrad(() => owned.copy_(found));
    found.dispose();
    return owned.setRequiresGrad();
  }
  return (found === owned ? found.clone().keep() : found).setRequiresGrad();
}

/** @throws Error where the file holds no head */
function headFromFile(path: string, device: string): Tensor {
  if (!path.endsWith('.json')) {
    using file = openSafetensors(path);
    const { dtype, shape } = file.info(SCORE_WEIGHT);
    const types: Record<string, 'float32' | 'bfloat16' | 'float16'> = {
      F32: 'float32',
      BF16: 'bfloat16',
      F16: 'float16',
    };
    const type = types[dtype];
    if (type === undefined)
      throw new Error(`--head ${path}: ${SCORE_WEIGHT} is stored as ${dtype}`);
    return tidy(() =>
      fromBytes(file.read(SCORE_WEIGHT), type, shape).to({ dtype: 'float32', device }).clone(),
    ).keep();
  }
  const json: unknown = JSON.parse(readFileSync(path, 'utf8'));
  const rows = Array.isArray(json) && Array.isArray(json[0]) ? json : [json];
  const isRow = (row: unknown): row is number[] =>
    Array.isArray(row) && row.every((value) => typeof value === 'number');
  if (!rows.every(isRow)) {
    throw new Error(`--head ${path}: expected a list of numbers, or one such list for each head`);
  }
  return tensor(rows as number[][], { device }).keep();
}
