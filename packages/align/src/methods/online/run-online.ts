// Whole online runs, from options to final/: what `keel ppo`, `grpo`, `rloo`, `reinforce`, `remax`,
// `online-dpo`, `d2po` and `raft` and their library forms are.
import { join } from 'node:path';
import type { OptionDescriptor } from '../../config/options.ts';
import { placeName } from '../../data/data-error.ts';
import type { RowSource } from '../../data/open-rows.ts';
import { checkReward } from '../../rewards/open-reward.ts';
import { rewardFiles } from '../../rewards/reward-files.ts';
import { PromptSource } from '../../rollouts/prompt-source.ts';
import { SamplesLog } from '../../rollouts/samples-log.ts';
import { writeFolderAtomic } from '../../runs/atomic-write.ts';
import {
  type RunHooks,
  type RunResult,
  runTraining,
  type TrainingKind,
} from '../../training/run-training.ts';
import { type D2poOptions, d2poDefinition } from '../d2po/d2po-options.ts';
import { Labeller } from '../d2po/labeller.ts';
import { type GrpoOptions, grpoDefinition } from '../grpo/grpo-options.ts';
import { type OnlineDpoOptions, onlineDpoDefinition } from '../online-dpo/online-dpo-options.ts';
import { type PpoOptions, ppoDefinition } from '../ppo/ppo-options.ts';
import { type RaftOptions, raftDefinition } from '../raft/raft-options.ts';
import { type ReinforceOptions, reinforceDefinition } from '../reinforce/reinforce-options.ts';
import { type RemaxOptions, remaxDefinition } from '../remax/remax-options.ts';
import { type RlooOptions, rlooDefinition } from '../rloo/rloo-options.ts';
import { openPretraining, openPretrainingRows } from '../supervised/open-pretraining.ts';
import { heldOutAnswers, readHeldOutChange, rewardHeadline } from './held-out-change.ts';
import { loadOnlinePolicy, type OnlinePolicy } from './online-policy.ts';
import {
  d2poSettings,
  grpoSettings,
  type OnlineOptions,
  type OnlineSettings,
  onlineDpoSettings,
  ppoSettings,
  raftSettings,
  reinforceSettings,
  remaxSettings,
  rlooSettings,
  stepsPerRollout,
} from './online-settings.ts';
import { OnlineTask } from './online-task.ts';
import { TwoRates } from './two-rates.ts';

/** What has no default. */
type Needed = 'data' | 'output' | 'reward';
type Asked<Options extends OnlineOptions> = Partial<Options> & Pick<Options, Needed>;

/** A verb of this file: complete options from some, and a run of them. */
interface OnlineVerb<Options extends OnlineOptions> {
  /**
   * @throws DataError, CheckpointError, ConfigError, NonFiniteLossError, Error as `runTraining`
   *   does, and where the reward cannot judge an answer
   */
  run(options: Options, hooks?: RunHooks): Promise<RunResult>;
  /** The library's form. @throws Error as `run` does, and when an option is out of range */
  train(options: Asked<Options>, hooks?: RunHooks): Promise<RunResult>;
}

interface Definition<Options> {
  verb: string;
  descriptors: readonly OptionDescriptor[];
  schema: { parse(options: unknown): unknown };
  complete(parsed: never): Options;
}

function onlineVerb<Options extends OnlineOptions>(
  definition: Definition<Options>,
  settings: (options: Options) => OnlineSettings,
): OnlineVerb<Options> {
  const run = async (options: Options, hooks?: RunHooks): Promise<RunResult> => {
    if (options.unsafeCode) {
      const text = '--unsafe-code: code of answers runs with all rights of this user';
      hooks?.onEvent?.({ type: 'notice', text });
    }
    await using owned = new AsyncDisposableStack();
    return await runTraining(onlineKind(definition, settings, owned), options, hooks);
  };
  return {
    run,
    train: async (options, hooks) =>
      run(definition.complete(definition.schema.parse(options) as never), hooks),
  };
}

const rloo = onlineVerb(rlooDefinition, rlooSettings);
const grpo = onlineVerb(grpoDefinition, grpoSettings);
const reinforce = onlineVerb(reinforceDefinition, reinforceSettings);
const ppo = onlineVerb(ppoDefinition, ppoSettings);
const remax = onlineVerb(remaxDefinition, remaxSettings);
const onlineDpo = onlineVerb(onlineDpoDefinition, onlineDpoSettings);
const d2po = onlineVerb(d2poDefinition, d2poSettings);
const raft = onlineVerb(raftDefinition, raftSettings);

export const { run: runRloo, train: trainRloo } = rloo;
export const { run: runGrpo, train: trainGrpo } = grpo;
export const { run: runReinforce, train: trainReinforce } = reinforce;
export const { run: runPpo, train: trainPpo } = ppo;
export const { run: runRemax, train: trainRemax } = remax;
export const { run: runOnlineDpo, train: trainOnlineDpo } = onlineDpo;
export const { run: runD2po, train: trainD2po } = d2po;
export const { run: runRaft, train: trainRaft } = raft;
export type TrainRlooOptions = Asked<RlooOptions>;
export type TrainGrpoOptions = Asked<GrpoOptions>;
export type TrainReinforceOptions = Asked<ReinforceOptions>;
export type TrainPpoOptions = Asked<PpoOptions>;
export type TrainRemaxOptions = Asked<RemaxOptions>;
export type TrainOnlineDpoOptions = Asked<OnlineDpoOptions>;
export type TrainD2poOptions = Asked<D2poOptions>;
export type TrainRaftOptions = Asked<RaftOptions>;

const HELD_OUT_REWARD = 'Held-out reward';
/** Held-out prompts that the report shows with both answers. */
const SHOWN_ANSWERS = 8;

function onlineKind<Options extends OnlineOptions>(
  definition: Definition<Options>,
  settings: (options: Options) => OnlineSettings,
  owned: AsyncDisposableStack,
): TrainingKind<Options, 'prompt', PromptSource, OnlinePolicy, OnlineTask> {
  let text: RowSource<'supervised'> | null = null;
  return {
    definition,
    rowKind: 'prompt',
    async checkRows(_, options, notice) {
      await checkReward(options.reward);
      text = owned.use(await openPretrainingRows(options, notice));
    },
    load: (options) => loadOnlinePolicy(options, owned),
    source: (rows, tokenizer, how, { maxNewTokens }) =>
      new PromptSource(rows, tokenizer, { ...how, newTokens: maxNewTokens }),
    stepsPerBatch: stepsPerRollout,
    async task(prepared) {
      const { options, policy, data, source, evaluation, passes, path, addInput } = prepared;
      const { tell, notice, signal } = prepared;
      const { model, role, referenceRole, movingReference, valueRole, reward } = policy;
      await addInput('--reward', await rewardFiles(options.reward), {
        mayChange: options.acceptChangedReward,
      });
      const asked = settings(options);
      const { discriminator } = policy;
      return new OnlineTask({
        ...{ model, role, referenceRole, movingReference, valueRole, reward },
        ...{ source, evaluation, ...passes, notice, signal },
        settings: asked,
        labeller:
          discriminator &&
          new Labeller({ discriminator, settings: asked.labels!, seed: options.seed, ...passes }),
        pretraining: text && (await openPretraining(text, prepared, owned)),
        batchSize: options.batchSize,
        seed: options.seed,
        samples: new SamplesLog(join(path, 'samples.jsonl')),
        onSamples: (step, samples) => tell({ type: 'samples', step, samples }),
        place: (row, heldOut) => placeName((heldOut ? data.heldOut! : data.rows).place(row)),
      });
    },
    optimiser: (parameters, options) => {
      const rate = 'criticLearningRate' in options ? options.criticLearningRate : null;
      const factor = rate === null ? 1 : rate / options.learningRate;
      const belongs = (name: string): boolean => name.startsWith('value/');
      return new TwoRates(parameters, { belongs, factor, weightDecay: options.weightDecay });
    },
    async finish({ path, policy: { discriminator }, notice }) {
      if (discriminator !== null) {
        const { readingNotice } = discriminator;
        if (readingNotice !== null) notice(`${join(path, 'discriminator')}: ${readingNotice}`);
        await writeFolderAtomic(join(path, 'discriminator'), (folder) =>
          discriminator.save(folder),
        );
      }
      const change = readHeldOutChange(join(path, 'samples.jsonl'));
      if (change === null) return {};
      return {
        headlines: [rewardHeadline(change, HELD_OUT_REWARD)],
        comparisons: {
          rows: heldOutAnswers(change, SHOWN_ANSWERS),
          note: 'The first held-out prompts of the data, one sampled answer each, before the first step and after the last.',
        },
      };
    },
    headlines: [
      { label: HELD_OUT_REWARD, metric: 'eval_reward', unit: 'number', better: 'higher' },
      {
        label: 'Held-out KL to the reference (nats an answer)',
        metric: 'eval_objective/kl',
        unit: 'number',
        better: null,
      },
      {
        label: 'Held-out answers that came to their end',
        metric: 'eval_eos_rate',
        unit: 'share',
        better: 'higher',
      },
    ],
  };
}
