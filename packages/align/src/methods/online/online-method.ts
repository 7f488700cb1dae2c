// Builds a whole run from an online algorithm: the base with its roles, the reward, the task, and
// the content of the report.
import { join } from 'node:path';
import { type LanguageModel, loadAdapter, type Role } from '@keel/model';
import type { Tensor } from '@keel/torch';
import type { ConstraintOptions } from '../../config/constraint-options.ts';
import type { OptionDescriptor } from '../../config/options.ts';
import { templateSettings } from '../../config/template-options.ts';
import type { TrainingOptions } from '../../config/training-options.ts';
import { placeName } from '../../data/data-error.ts';
import type { RowSource } from '../../data/open-rows.ts';
import { writeFolderAtomic } from '../../files/atomic-write.ts';
import { MovingReference, movingOptions } from '../../reference/moving-reference.ts';
import { checkReward, type OpenRewardOptions, openReward } from '../../rewards/open-reward.ts';
import type { Reward } from '../../rewards/reward.ts';
import { rewardFiles } from '../../rewards/reward-files.ts';
import type { OnlineParts } from '../../rollouts/online-parts.ts';
import { PromptSource } from '../../rollouts/prompt-source.ts';
import type { Training } from '../../rollouts/training.ts';
import { SamplesLog } from '../../runs/samples-log.ts';
import { divisionOf, loadPolicy, type Policy } from '../../training/policy.ts';
import type { ProgramReward } from '../../training/program-inputs.ts';
import type { PlanFact } from '../../training/run-plan.ts';
import {
  type RunHooks,
  type RunResult,
  runTraining,
  type TrainingKind,
} from '../../training/run-training.ts';
import { openRefresher, openRefreshRows, type RefreshRows } from '../refresh/open-refresh.ts';
import type { RefreshOptions } from '../refresh/refresh-options.ts';
import { RefreshedReward } from '../refresh/refreshed-reward.ts';
import { fromProgram, type RewardedOptions } from '../registration/from-program.ts';
import { openPretraining, openPretrainingRows } from '../supervised/open-pretraining.ts';
import type { PretrainingOptions } from '../supervised/pretraining-options.ts';
import { gamingMetrics } from './gaming-metrics.ts';
import { heldOutAnswers, readHeldOutChange, rewardHeadline } from './held-out-change.ts';
import { type OnlineAlgorithm, stepsPerRollout } from './online-algorithm.ts';
import { onlineFacts } from './online-facts.ts';
import type { AlarmAction } from './online-options.ts';
import { OnlineTask } from './online-task.ts';
import { openServers } from './open-servers.ts';
import type { ServerOptions } from './rollout-server-options.ts';
import {
  constraintFact,
  openConstraint,
  type RunConstraint,
  schemaInput,
} from './run-constraint.ts';
import type { RolloutOptions } from './worker-options.ts';

/** Options of every online method. */
export interface OnlineOptions
  extends TrainingOptions,
    RolloutOptions,
    ConstraintOptions,
    ServerOptions,
    Partial<PretrainingOptions>,
    Partial<RefreshOptions> {
  reward: string;
  rewardConcurrency: number;
  rewardTimeout: number | null;
  gold: string | null;
  onAlarm: AlarmAction;
  acceptChangedReward: boolean;
  unsafeCode: boolean;
  numIterations?: number;
  minibatches?: number;
  referenceSyncSteps?: number | null;
  referenceMix?: number;
}

/** What an online run has in memory: one base with the roles on it, and the reward. */
export interface OnlinePolicy<Own> extends Policy {
  /** The policy before training. */
  referenceRole: Role;
  /** The reference that training compares with, if it follows the policy. */
  movingReference: MovingReference | null;
  reward: Reward;
  /** What the reward stands for; null: not known. */
  gold: Reward | null;
  /** The same reward, if the run refreshes it. */
  refreshed: RefreshedReward | null;
  /** What the answers match; null: anything. */
  constraint: RunConstraint | null;
  /** How rewards are opened in this run. */
  opening: OpenRewardOptions;
  /** What the method adds to the base. */
  own: Own;
}

/** A method: its algorithm, and what it needs besides policy, reference and reward. */
export interface OnlineMethodParts<Options extends OnlineOptions, Own, Kind extends Training> {
  algorithm(options: Options, parts: OnlineParts, own: Own): OnlineAlgorithm<Kind>;
  /** Adds the method's own adapters and heads to the base, such as a critic or a discriminator. */
  addRole?(model: LanguageModel, policy: Role, options: Options): Own;
  /** The parameters among them that the run's optimizer trains (default: none). */
  trained?(own: Own): ReadonlyMap<string, Tensor>;
  /** What they are, for the run's plan (default: nothing). */
  facts?(own: Own, options: Options): readonly PlanFact[];
  /** Factors on the learning rate, by the parameters' names (default: 1). */
  rateOf?(policy: OnlinePolicy<Own>, options: Options): (name: string) => number;
  /** Writes the method's own results. @param path the run's folder */
  finish?(own: Own, path: string, notice: (text: string) => void): Promise<void>;
}

interface Definition<Options> {
  verb: string;
  descriptors: readonly OptionDescriptor[];
  schema: Parameters<typeof fromProgram<Options, RunHooks>>[0]['schema'];
  complete(parsed: never): Options;
}

/** Options of a run: only `data`, `output` and `reward` have no default. */
export type SomeOptions<Options extends OnlineOptions> = RewardedOptions<Options>;

export interface OnlineMethod<Options extends OnlineOptions, Own, Kind extends Training> {
  definition: Definition<Options>;
  parts: OnlineMethodParts<Options, Own, Kind>;
  /**
   * @throws DataError, CheckpointError, ConfigError, NonFiniteLossError, Error like `runTraining`,
   *   and if the reward cannot judge an answer
   */
  run(options: Options, hooks?: RunHooks): Promise<RunResult>;
  /** The library's entry point. @throws ConfigError for invalid options, Error like `run` */
  train(options: SomeOptions<Options>, hooks?: RunHooks): Promise<RunResult>;
}

export function onlineMethod<Options extends OnlineOptions, Kind extends Training, Own = undefined>(
  definition: Definition<Options>,
  parts: OnlineMethodParts<Options, Own, Kind>,
): OnlineMethod<Options, Own, Kind> {
  const run = async (options: Options, hooks?: RunHooks): Promise<RunResult> => {
    if (options.unsafeCode) {
      const text = '--unsafe-code: code in answers runs with all rights of this user';
      hooks?.onEvent?.({ type: 'notice', text });
    }
    await using owned = new AsyncDisposableStack();
    const kind = kindOf(definition, parts, owned, hooks?.program?.reward ?? null);
    return await runTraining(kind, options, hooks);
  };
  return {
    ...{ definition, parts, run },
    train: (options, hooks = {}) => fromProgram(definition, run, options, hooks),
  };
}

/** Role of the policy's starting adapter, if there is one. */
const START = 'start';

/**
 * Loads the base once, adds the roles to it and opens the reward.
 * @param owned disposes of reward and roles at the end of the run
 * @param program the reward that a program passes
 * @throws CheckpointError, ConfigError, Error like `loadPolicy` and `openReward`
 */
async function loadRoles<Options extends OnlineOptions, Own>(
  options: Options,
  { addRole, trained }: OnlineMethodParts<Options, Own, never>,
  owned: AsyncDisposableStack,
  program: ProgramReward | null,
): Promise<OnlinePolicy<Own>> {
  const loaded = await loadPolicy(options);
  try {
    const { model, role, parameters, precision } = loaded;
    if (options.adapter !== null) loadAdapter(model.decoder, options.adapter, START);
    const constraint = await openConstraint(options, model);
    const { referenceSyncSteps = null, referenceMix = 1 } = options;
    const moving = movingOptions({ referenceSyncSteps, referenceMix });
    const movingReference = moving && new MovingReference(model, role, moving);
    const own = addRole?.(model, role, options) as Own;
    if (isDisposable(own)) owned.use(own);
    const how: OpenRewardOptions = {
      // If the base itself is trained, a reward that shares it would change too.
      ...(options.lora && { base: model }),
      divides: divisionOf(options),
      emptyAnswers: 'score',
      tokenizer: options.model,
      precision,
      device: model.device as 'cpu',
      unsafeCode: options.unsafeCode,
      now: templateSettings(options).now,
      calls: { concurrency: options.rewardConcurrency, timeout: options.rewardTimeout },
    };
    const refreshed =
      (options.refresh ?? null) === null ? null : await openRefreshed(model, options, how, program);
    const reward =
      refreshed ?? (await (program === null ? openReward(options.reward, how) : program.open(how)));
    if (program === null || program.isOwned) owned.use(reward);
    const gold = options.gold === null ? null : owned.use(await openReward(options.gold, how));
    return {
      ...loaded,
      parameters: new Map([...parameters, ...(trained?.(own) ?? [])]),
      referenceRole: options.adapter === null ? 'reference' : START,
      ...(constraint && { constraints: constraint.compiled }),
      ...{ movingReference, reward, refreshed, constraint, opening: how, gold, own },
    };
  } catch (error) {
    loaded[Symbol.dispose]();
    throw error;
  }
}

/** @throws Error if the reward is not a reward model that can be trained */
async function openRefreshed(
  model: LanguageModel,
  { reward }: OnlineOptions,
  { emptyAnswers, now }: OpenRewardOptions,
  program: ProgramReward | null,
): Promise<RefreshedReward> {
  if (program !== null) {
    throw new Error(
      'refresh trains the reward model, so the reward must be the folder of one, not a value',
    );
  }
  return RefreshedReward.open(model, reward, {
    ...(emptyAnswers && { emptyAnswers }),
    ...(now !== undefined && { now }),
  });
}

const isDisposable = (value: unknown): value is Disposable =>
  typeof value === 'object' && value !== null && Symbol.dispose in value;

const HELD_OUT_REWARD = 'Held-out reward';
/** Held-out prompts that the report shows with both answers. */
const SHOWN_ANSWERS = 8;

function kindOf<Options extends OnlineOptions, Own, Kind extends Training>(
  definition: Definition<Options>,
  method: OnlineMethodParts<Options, Own, Kind>,
  owned: AsyncDisposableStack,
  program: ProgramReward | null,
): TrainingKind<Options, 'prompt', PromptSource, OnlinePolicy<Own>, OnlineTask> {
  let text: RowSource<'supervised'> | null = null;
  let comparisons: RefreshRows | null = null;
  return {
    definition,
    rowKind: 'prompt',
    async checkRows(_, options, notice) {
      await (program === null ? checkReward(options.reward) : program.check());
      if (options.gold !== null) await checkReward(options.gold);
      text = owned.use(await openPretrainingRows(options, notice));
      comparisons = await openRefreshRows(options, owned);
    },
    load: (options) =>
      loadRoles(options, method as OnlineMethodParts<Options, Own, never>, owned, program),
    source: (rows, tokenizer, how, { maxNewTokens }) =>
      new PromptSource(rows, tokenizer, { ...how, newTokens: maxNewTokens }),
    stepsPerBatch: stepsPerRollout,
    facts: ({ options, policy }) => [
      ...onlineFacts(options, policy),
      ...(policy.constraint ? [constraintFact(options, policy.constraint)] : []),
      ...(method.facts?.(policy.own, options) ?? []),
    ],
    async task(prepared) {
      const { options, policy, data, source, evaluation, passes, path, addInput } = prepared;
      const { tell, notice, signal } = prepared;
      const { model, role, referenceRole, movingReference, reward, gold, own } = policy;
      const files = await (program === null ? rewardFiles(options.reward) : program.files());
      await addInput('--reward', files, {
        mayChange: options.acceptChangedReward,
      });
      if (options.gold !== null) {
        const goldFiles = await rewardFiles(options.gold);
        await addInput('--gold', goldFiles, { mayChange: options.acceptChangedReward });
      }
      const { constraint } = policy;
      const schema = constraint && schemaInput(options, constraint);
      if (schema !== null) await addInput('--json-schema', schema);
      const servers = await openServers(options, { model, path, notice, signal });
      if (servers !== null) owned.use(servers);
      const { batchSize, seed } = options;
      const samples = join(path, 'samples.jsonl');
      return new OnlineTask({
        ...{ model, role, referenceRole, movingReference, reward, gold, batchSize, seed },
        ...{ source, evaluation, ...passes, notice, signal },
        ...{ constraints: constraint?.compiled ?? null, servers },
        samplesAhead: options.asyncRollouts > 0,
        algorithm: (parts) => method.algorithm(options, parts, own),
        pretraining: text && (await openPretraining(text, prepared, owned)),
        refresher:
          comparisons &&
          (await openRefresher(comparisons, policy.refreshed!, prepared, {
            owned,
            how: policy.opening,
          })),
        samples: new SamplesLog(samples),
        ...(gold !== null && { gaming: () => gamingMetrics(samples) }),
        onWait: (seconds) => tell({ type: 'waiting', for: 'reward', seconds }),
        onSamples: (step, samples) => tell({ type: 'samples', step, samples }),
        place: (row, heldOut) => placeName((heldOut ? data.heldOut! : data.rows).place(row)),
      });
    },
    ...(method.rateOf && { rateOf: method.rateOf }),
    async finish({ path, policy, notice, options, resultStep }) {
      await method.finish?.(policy.own, path, notice);
      if (policy.refreshed !== null) {
        const folder = join(path, 'reward');
        await writeFolderAtomic(folder, (into) => policy.refreshed!.save(into));
        notice(`the reward model as it was at the end is in ${folder}`);
      }
      const change = readHeldOutChange(join(path, 'samples.jsonl'), resultStep);
      if (change === null) return {};
      return {
        headlines: [rewardHeadline(change, HELD_OUT_REWARD, options.reward)],
        comparisons: {
          rows: heldOutAnswers(change, SHOWN_ANSWERS),
          note: 'The first held-out prompts of the data, one sampled answer each, before training and from the result.',
        },
      };
    },
    headlines: [
      { label: HELD_OUT_REWARD, metric: 'eval_reward', unit: 'number', better: 'higher' },
      { label: 'Held-out gold reward', metric: 'eval_gold', unit: 'number', better: 'higher' },
      {
        label: 'Held-out KL to the reference (nats per answer)',
        metric: 'eval_objective/kl',
        unit: 'number',
        better: null,
      },
      {
        label: 'Held-out answers with an end token',
        metric: 'eval_eos_rate',
        unit: 'share',
        better: 'higher',
      },
    ],
  };
}
