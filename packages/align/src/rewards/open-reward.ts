import { dirname } from 'node:path';
import {
  DEFAULT_MODEL_NAME,
  type LanguageModel,
  type LoadModelOptions,
  loadTokenizer,
} from '@keel/model';
import { relativeToSpec } from '../config/relative-to-spec.ts';
import { codeReward } from './code-reward.ts';
import { CompositeReward, type RewardComponent } from './composite-reward.ts';
import { countAnswer } from './counting-later.ts';
import { type CallLimits, usualCallLimits } from './each-input.ts';
import { loadFunctionReward } from './function-reward.ts';
import { openJudgingReward } from './judging-reward.ts';
import { lengthReward } from './length-reward.ts';
import { modelJudge } from './model-judge.ts';
import { modelReward } from './model-reward.ts';
import { penaltyReward } from './penalty-reward.ts';
import { readRewardSpec } from './read-reward-spec.ts';
import { regexReward } from './regex-reward.ts';
import type { Reward } from './reward.ts';
import { RewardConstraint } from './reward-constraint.ts';
import type { OpenRewardModelOptions } from './reward-model.ts';
import type { ComponentSpec, CompositionSpec } from './reward-spec.ts';
import { parseShortForm } from './short-form.ts';
import type { CountTokens } from './user-function.ts';

export interface OpenRewardOptions
  extends Pick<LoadModelOptions, 'precision' | 'device'>,
    Pick<OpenRewardModelOptions, 'divides' | 'emptyAnswers' | 'onLost'> {
  /** Runs code without isolation, whatever the spec says. */
  unsafeCode?: boolean;
  /** Maximum tokens of a reward model's pass. */
  batchTokens?: number;
  /**
   * Adapters of reward models for this base are applied to it, so that it is in memory only once.
   * It stays with its owner.
   */
  base?: LanguageModel;
  /**
   * The date and time that chat templates of reward models and judges print (default: when they are
   * rendered).
   */
  now?: string;
  /** The model whose tokens are counted if a spec names none (default: the default model). */
  tokenizer?: string;
  /**
   * How functions are called if a spec does not say (default: 16 concurrent calls without a time
   * limit).
   */
  calls?: CallLimits;
}

/**
 * Opens a reward: a spec file, or a short form (`parseShortForm`). Models are loaded only if the
 * reward uses them.
 * @throws ConfigError for an invalid reward; Error if a module, a model or the sandbox is not
 *   available
 */
export async function openReward(text: string, options: OpenRewardOptions = {}): Promise<Reward> {
  if (!isSpec(text)) return openComponent(parseShortForm(text), '.', options);
  return openSpec(readRewardSpec(text), dirname(text), options);
}

/**
 * Opens a whole spec.
 * @param folder that its paths are relative to
 * @throws as `openReward`
 */
export async function openSpec(
  spec: CompositionSpec,
  folder: string,
  options: OpenRewardOptions = {},
): Promise<Reward> {
  const [only] = spec.rewards;
  const plain = isPlain(only!);
  // A single plain reward needs no sum around it.
  if (spec.rewards.length === 1 && spec.constraints.length === 0 && plain) {
    return openComponent(only!, folder, options);
  }
  return openComposition(spec, folder, options);
}

/**
 * Checks a reward as far as possible without a model, before one is loaded.
 * @throws ConfigError, Error as in `openReward`, for an invalid spec and for a module that does not
 *   load
 */
export async function checkReward(text: string): Promise<void> {
  await checkModules(componentsOf(text), isSpec(text) ? dirname(text) : '.');
}

/** Loads the modules of reward functions. @throws Error if one does not load */
export async function checkModules(
  components: readonly ComponentSpec[],
  folder: string,
): Promise<void> {
  for (const spec of components) {
    if (spec.type !== 'function') continue;
    await using _ = await loadFunctionReward(spec.module, folder);
  }
}

const componentsOf = (text: string) =>
  isSpec(text) ? readRewardSpec(text).rewards : [parseShortForm(text)];

/**
 * Whether a reward reads the prompts of rows, but none of their other columns: it has models or
 * judges, and no function or code.
 * @throws ConfigError for an invalid spec
 */
export function readsPromptsOnly(text: string): boolean {
  const models = componentsOf(text).filter(({ type }) => type === 'model' || type === 'judge');
  return models.length > 0 && !readsColumns(text);
}

/**
 * Whether a reward may read other columns of rows than the prompt: it has functions, code, or a
 * judge that sees a reference.
 * @throws ConfigError for an invalid spec
 */
export const readsColumns = (text: string): boolean =>
  componentsOf(text).some(
    (one) =>
      one.type === 'function' ||
      one.type === 'code' ||
      (one.type === 'judge' && one.reference !== undefined),
  );

/**
 * Whether the scores of a reward are log-odds, as those of a model trained on pairs: the difference
 * of two is that of one answer being better. It is a single reward model, unweighted.
 * @throws ConfigError for an invalid spec
 */
export function scoresLogOdds(text: string): boolean {
  if (isSpec(text) && readRewardSpec(text).constraints.length > 0) return false;
  const [only, ...others] = componentsOf(text);
  return only!.type === 'model' && others.length === 0 && isPlain(only!);
}

/** Whether a composition of this reward alone would give its own score. */
const isPlain = ({ weight, clip, normalise, shape }: ComponentSpec): boolean =>
  weight === 1 && clip === null && normalise === 'none' && shape === 'none';

/** Whether a reward is given as a spec file; `judge:FILE` names that of a judge. */
export const isSpec = (text: string): boolean =>
  /\.(ya?ml|json)$/.test(text) && !text.startsWith('judge:');

/**
 * Opens what a spec describes.
 * @param folder that its paths are relative to
 * @throws as `openReward`; nothing stays open then
 */
export async function openComposition(
  spec: CompositionSpec,
  folder = '.',
  options: OpenRewardOptions = {},
): Promise<CompositeReward> {
  const components: RewardComponent[] = [];
  try {
    for (const one of spec.rewards) {
      const { name = one.type, weight, clip, normalise, shape } = one;
      const reward = await openComponent(one, folder, options);
      components.push({ name, reward, weight, clip, normalise, shape });
    }
    const constraints = spec.constraints.map((constraint) => new RewardConstraint(constraint));
    return new CompositeReward(components, constraints);
  } catch (error) {
    for (const { reward } of components) await reward[Symbol.asyncDispose]();
    throw error;
  }
}

async function openComponent(
  {
    name: _name,
    weight: _weight,
    clip: _clip,
    normalise: _normalise,
    shape: _shape,
    ...spec
  }: ComponentSpec,
  folder: string,
  {
    unsafeCode = false,
    batchTokens,
    tokenizer: fallback = DEFAULT_MODEL_NAME,
    base,
    divides,
    emptyAnswers,
    now,
    onLost,
    calls = usualCallLimits,
    ...model
  }: OpenRewardOptions,
): Promise<Reward> {
  switch (spec.type) {
    case 'function':
      return loadFunctionReward(spec.module, folder, {
        concurrency: spec.concurrency ?? calls.concurrency,
        timeout: spec.timeout === undefined ? calls.timeout : spec.timeout,
        tokenizer: fallback,
      });
    case 'regex':
      return regexReward(spec);
    case 'length': {
      const { tokenizer, ...length } = spec;
      const name = tokenizer === undefined ? fallback : relativeToSpec(tokenizer, folder);
      const counts = spec.unit === 'tokens' ? await counting(name) : undefined;
      return lengthReward(length, counts);
    }
    case 'penalty':
      return penaltyReward(spec);
    case 'code':
      return codeReward(unsafeCode ? { ...spec, isolation: 'none' } : spec);
    case 'judge': {
      const { judge, model: named, ...others } = spec;
      const options = { ...model, ...(now && { now }) };
      if (judge !== undefined) return openJudgingReward({ ...others, judge }, folder, options);
      const { type, adapter, question } = others;
      return modelJudge(
        { type, adapter, question, model: relativeToSpec(named!, folder) },
        options,
      );
    }
    case 'model': {
      const path = [spec.path].flat().map((one) => relativeToSpec(one, folder));
      return modelReward(
        { ...spec, path },
        {
          ...model,
          ...(batchTokens && { batchTokens }),
          ...(base && { base }),
          ...(divides && { divides }),
          ...(emptyAnswers && { emptyAnswers }),
          ...(now && { now }),
          ...(onLost && { onLost }),
        },
      );
    }
  }
}

async function counting(name: string): Promise<CountTokens> {
  const tokenizer = await loadTokenizer(name);
  return (text) => countAnswer(tokenizer, text);
}
