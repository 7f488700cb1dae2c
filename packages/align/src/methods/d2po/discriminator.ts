// D2PO's response evaluation model (Singhal et al. 2024, arXiv:2405.01511): a reward model trained
// together with the policy, as an adapter and a scalar head on the same base. It has its own
// optimizer because it is trained between two steps of the policy, before its labels are used.
import {
  addLora,
  classifierPadToken,
  type LanguageModel,
  loadAdapter,
  type Role,
  SCORE_WEIGHT,
  saveAdapter,
} from '@keel/model';
import { type Tensor, zeros } from '@keel/torch';
import { readAnswers } from '../../batching/tokenise-judged.ts';
import { isChat } from '../../data/messages.ts';
import type { PromptRow } from '../../data/rows.ts';
import { shuffledOrder } from '../../data/shuffle.ts';
import {
  type RewardRecord,
  readRewardRecord,
  writeRewardRecord,
} from '../../rewards/reward-record.ts';
import { type AnsweredPrompt, scoreAnswers } from '../../rewards/score-answers.ts';
import { loraOptionsOf } from '../../training/policy.ts';
import type { TaskState } from '../../training/training-task.ts';
import { loadHead } from '../ppo/load-head.ts';
import { type LearningPasses, PairLearner } from '../reward/pair-learner.ts';
import { otherReadingNotice } from '../reward/reward-policy.ts';
import type { D2poOptions } from './d2po-options.ts';
import { GoldMemory, type GoldPair } from './gold-memory.ts';

const ROLE = 'discriminator';

export interface LearningOptions extends LearningPasses {
  /** Determines the order of the pairs. */
  seed: number;
}

type Settings = Pick<
  D2poOptions,
  | 'discriminatorLearningRate'
  | 'discriminatorEpochs'
  | 'discriminatorBatchSize'
  | 'discriminatorMemory'
  | 'weightDecay'
  | 'maxGradNorm'
>;

export class Discriminator implements Disposable {
  readonly role: Role = ROLE;
  /** By name, including the head. */
  readonly parameters: Map<string, Tensor>;
  readonly memory: GoldMemory;
  readonly #model: LanguageModel;
  readonly #record: RewardRecord;
  readonly #settings: Settings;
  readonly #learner: PairLearner;

  private constructor(
    model: LanguageModel,
    parameters: Map<string, Tensor>,
    record: RewardRecord,
    settings: Settings,
  ) {
    this.#model = model;
    this.parameters = parameters;
    this.#record = record;
    this.#settings = settings;
    this.memory = new GoldMemory(settings.discriminatorMemory);
    this.#learner = new PairLearner({
      ...{ model, role: ROLE, parameters, name: ROLE, title: 'the discriminator' },
      weightDecay: settings.weightDecay,
      maxGradNorm: settings.maxGradNorm,
    });
  }

  /**
   * Adds a discriminator to a model. Its scores start at 0, or as those of a reward model.
   * @throws CheckpointError if the reward model does not fit; Error if it has no head or several,
   *   or if it scores steps
   */
  static add(model: LanguageModel, options: D2poOptions): Discriminator {
    const { decoder, device, tokenizer } = model;
    const from = options.discriminatorFrom;
    const named = `--discriminator-from ${from}`;
    const record = from === null ? null : readRewardRecord(from);
    if (record?.scores === 'steps') {
      throw new Error(`${named} scores steps. Pass a reward model that scores whole answers`);
    }
    const head =
      from === null
        ? zeros([1, decoder.config.hiddenSize], { device }).keep().setRequiresGrad()
        : loadHead(model, from, named, 'a discriminator');
    model.addScoreHead(ROLE, head);
    const adapter =
      from === null
        ? addLora(decoder, ROLE, { ...loraOptionsOf(options), seed: options.seed + 1 })
        : loadAdapter(decoder, from, ROLE, { trainable: true, leaveHead: true });
    const parameters = new Map([...adapter, [SCORE_WEIGHT, head] as const]);
    const pad = classifierPadToken(tokenizer);
    const fresh = { version: 1, scores: 'answers', read_at: 'last', pad_token_id: pad } as const;
    const rest = { step_separator: '\n', ensemble: { rule: 'mean', k: 1 } } as const;
    const { chatTemplateKwargs } = options;
    // It is trained on chats as the policy's template renders them.
    const rendered = chatTemplateKwargs !== null && { chat_template_kwargs: chatTemplateKwargs };
    const known = { ...(record ?? { ...fresh, ...rest }), ...rendered };
    // Training changes its scores, so the old normalisation no longer fits; labels do not need it.
    return new Discriminator(model, parameters, { ...known, normalisation: null }, options);
  }

  /** Answers of a prompt as the discriminator reads them, like every reward model. */
  read(
    { prompt, rendering }: Pick<PromptRow, 'prompt' | 'rendering'>,
    completions: readonly string[],
  ): AnsweredPrompt {
    const {
      read_at: readAt,
      pad_token_id: padTokenId,
      step_separator: stepSeparator,
    } = this.#record;
    const answers = completions.map((content) =>
      isChat(prompt) ? [{ role: 'assistant' as const, content }] : content,
    );
    const options = { readAt, padTokenId, stepSeparator };
    const row = { prompt, completions: answers, rendering };
    const found = readAnswers(row, this.#model.tokenizer, options);
    const silent = found.answers.findIndex(({ reads }) => reads.length === 0);
    if (silent < 0) return found;
    throw new Error(
      `the answer ${JSON.stringify(completions[silent])} has no token at which the discriminator could read a score. Pass --min-new-tokens 1 or more`,
    );
  }

  /**
   * @returns by prompt, the score of each answer. The log-odds between two answers to a prompt are
   *   the difference of their scores
   */
  async scores(prompts: readonly AnsweredPrompt[]): Promise<number[][]> {
    const found = await scoreAnswers(this.#model, ROLE, prompts);
    return found.map((answers) => answers.map(([score]) => score!));
  }

  /**
   * Trains on the pairs in its memory.
   * @returns the mean loss over all passes of its steps, and the number of these steps
   * @throws NonFiniteLossError naming the prompts' rows
   */
  async learn(options: LearningOptions): Promise<{ loss: number; steps: number }> {
    const {
      discriminatorEpochs: epochs,
      discriminatorBatchSize: size,
      discriminatorLearningRate: rate,
    } = this.#settings;
    const { pairs } = this.memory;
    let [loss, steps] = [0, 0];
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = [...shuffledOrder(pairs.length, options.seed, epoch)];
      for (let start = 0; start < order.length; start += size) {
        const batch = order.slice(start, start + size).map((at) => pairs[at]!);
        loss += await this.#learner.step(batch, rate, options);
        steps += 1;
      }
    }
    return { loss: loss / (pairs.length * epochs), steps };
  }

  /**
   * Adds the gradient of the mean Bradley-Terry loss of these pairs.
   * @returns the sum of their losses
   */
  addGradient(pairs: readonly GoldPair[], how: LearningPasses): Promise<number> {
    return this.#learner.addGradient(pairs, how);
  }

  /** See {@link otherReadingNotice}. */
  get readingNotice(): string | null {
    return otherReadingNotice(this.#model, this.#record);
  }

  /** Writes the same files as `keel reward` writes for an adapter. */
  save(folder: string): void {
    const { decoder, tokenizer, name } = this.#model;
    const scoreHead = this.parameters.get(SCORE_WEIGHT)!;
    saveAdapter(folder, decoder, ROLE, { baseModel: name, scoreHead });
    tokenizer.save(folder, { padTokenId: this.#record.pad_token_id });
    writeRewardRecord(folder, this.#record);
  }

  state(): TaskState {
    const learnt = this.#learner.state();
    const gold = this.memory.state();
    return {
      values: { ...learnt.values, gold: gold.values },
      tensors: new Map([...learnt.tensors, ...gold.tensors]),
    };
  }

  /** @throws Error if the state has no discriminator, or another one */
  check(values: unknown, tensors: TaskState['tensors']): void {
    this.#learner.check(values, tensors);
    this.memory.check((values as Record<string, unknown>).gold, tensors);
  }

  /** @throws Error like `check` */
  restore(values: unknown, tensors: TaskState['tensors']): void {
    this.check(values, tensors);
    this.#learner.restore(values, tensors);
    this.memory.restore((values as Record<string, unknown>).gold, tensors);
  }

  /** Frees the optimizer; the model owns adapter and head. */
  [Symbol.dispose](): void {
    this.#learner[Symbol.dispose]();
  }
}
