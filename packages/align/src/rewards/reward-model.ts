// A trained reward model that scores answers.
import {
  baseOfAdapter,
  type LanguageModel,
  type LoadModelOptions,
  loadModel,
  otherBaseNotice,
  type Role,
  type Tokenizer,
} from '@keel/model';
import type { EnsembleRule } from './ensemble.ts';
import {
  adapterMember,
  isAdapter,
  type Member,
  rewardTemplate,
  wholeMember,
} from './reward-member.ts';
import { type RewardRecord, rewardsOf } from './reward-record.ts';
import { type RewardRow, type RewardRowReading, tokeniseRewardRow } from './reward-row.ts';
import { type AnsweredPrompt, scoreAnswers } from './score-answers.ts';

export interface RewardScore {
  /** One number: normalised, and combined over several heads or models. */
  score: number;
  /** Normalised scores of each head; for several models, those of the first one come first. */
  heads: number[];
  /**
   * For a process reward model: the score of each step; `score` is then the log-probability that
   * all of them are right.
   */
  steps?: number[];
}

export interface OpenRewardModelOptions
  extends Pick<LoadModelOptions, 'precision' | 'device' | 'divides' | 'notice'> {
  /** Base of an adapter (default: the one that it names). */
  model?: string;
  /** Replaces the rule that the model was saved with. */
  ensemble?: { rule: EnsembleRule; k?: number };
  /** Maximum tokens of a pass. */
  batchTokens?: number;
  /**
   * What to do with empty answers (default: `refuse`). A policy in training may well give one; its
   * score is read at its end.
   */
  emptyAnswers?: 'refuse' | 'score';
  /** The date and time that chat templates print (default: when they are rendered). */
  now?: string;
  /** Called once, with the fields, if the chat template drops text of an answer. */
  onLost?(fields: readonly string[]): void;
}

/**
 * A reward model on its base. Several adapters on one base form an ensemble, with the base in
 * memory only once. Dispose of it; a base that was passed in stays with its owner.
 */
export class RewardModel implements Disposable {
  readonly model: LanguageModel;
  readonly #members: readonly Member[];
  readonly #ensemble: RewardRecord['ensemble'];
  readonly #tokens: number;
  readonly #owns: boolean;
  readonly #scoresEmpty: boolean;
  readonly #tokenizer: Tokenizer;
  #onLost: OpenRewardModelOptions['onLost'];

  private constructor(
    model: LanguageModel,
    members: readonly Member[],
    { ensemble, batchTokens = 1024, emptyAnswers, onLost }: OpenRewardModelOptions,
    owns: boolean,
    tokenizer = model.tokenizer,
  ) {
    this.model = model;
    this.#tokenizer = tokenizer;
    this.#onLost = onLost;
    this.#members = members;
    const own = members[0]!.record.ensemble;
    this.#ensemble = ensemble ? { rule: ensemble.rule, k: ensemble.k ?? own.k } : own;
    this.#tokens = batchTokens;
    this.#owns = owns;
    this.#scoresEmpty = emptyAnswers === 'score';
  }

  /**
   * Opens a reward model: a folder with a sequence classifier that `keel reward` or transformers
   * saved, or one or several adapters on the same base that `keel reward` or PEFT saved.
   * @throws CheckpointError if files are damaged; Error if a folder is not a reward model, or one
   *   of several is not an adapter
   */
  static async open(
    folders: string | readonly string[],
    options: OpenRewardModelOptions = {},
  ): Promise<RewardModel> {
    const paths = typeof folders === 'string' ? [folders] : folders;
    const [first] = paths;
    if (first === undefined) throw new Error('expected at least one reward model');
    const adapters = paths.filter(isAdapter);
    if (adapters.length > 0 && adapters.length < paths.length) {
      throw new Error(
        `${paths.join(', ')}: an ensemble takes adapters of one base model, but ${paths.find((path) => !isAdapter(path))} is not an adapter`,
      );
    }
    if (adapters.length === 0 && paths.length > 1) {
      throw new Error(
        `${paths.join(', ')}: whole models cannot form an ensemble; train adapters (--lora), or one model with several --heads`,
      );
    }
    const base = adapters.length === 0 ? first : (options.model ?? baseOfAdapter(first));
    const template = rewardTemplate(paths, options.now);
    const model = await loadModel(base, { ...options, classifier: true, template });
    try {
      for (const adapter of options.model === undefined ? [] : adapters) {
        const other = await otherBaseNotice(model, adapter);
        if (other !== null) options.notice?.(other);
      }
      return adapters.length > 0
        ? RewardModel.#onBase(model, paths, options, true)
        : new RewardModel(model, [wholeMember(model, first)], options, true);
    } catch (error) {
      model.dispose();
      throw error;
    }
  }

  /**
   * Applies reward adapters to a loaded model: policy and rewards then share one base.
   * @param options `tokenizer`: the one that the adapters were trained with, if the model is used
   *   with a different chat template
   * @throws CheckpointError if an adapter does not fit the model, or is not from a reward model
   */
  static on(
    model: LanguageModel,
    folders: string | readonly string[],
    options: Omit<OpenRewardModelOptions, 'model'> & { tokenizer?: Tokenizer } = {},
  ): RewardModel {
    const paths = typeof folders === 'string' ? [folders] : folders;
    return RewardModel.#onBase(model, paths, options, false);
  }

  static #onBase(
    model: LanguageModel,
    folders: readonly string[],
    options: OpenRewardModelOptions & { tokenizer?: Tokenizer },
    owns: boolean,
  ): RewardModel {
    const members = folders.map((folder, index) => {
      let role = index === 0 ? 'reward' : `reward-${index + 1}`;
      for (let more = 2; model.hasScoreHead(role); more++) role = `reward-${index + more}`;
      return adapterMember(model, folder, role);
    });
    return new RewardModel(model, members, options, owns, options.tokenizer);
  }

  /** Number of heads: each one scores every row. */
  get heads(): number {
    return this.#members.reduce((sum, { heads }) => sum + heads, 0);
  }

  /** The role of each member on the model. */
  get roles(): readonly Role[] {
    return this.#members.map(({ role }) => role);
  }

  /**
   * Answers to their prompts as the first member reads them, one for each row.
   * @throws RangeError as {@link scoreRows}
   */
  read(rows: readonly RewardRow[]): AnsweredPrompt[] {
    const reading = this.#reading(this.#members[0]!.record);
    return rows.map((row, index) => tokeniseRewardRow(row, index, reading));
  }

  /** Saves the tokenizer that its conversations are rendered with. */
  saveTokenizer(folder: string): void {
    this.#tokenizer.save(folder, { padTokenId: this.#members[0]!.record.pad_token_id });
  }

  /** The record of each member: where its scores are read and how they are normalised. */
  get records(): readonly RewardRecord[] {
    return this.#members.map(({ record }) => record);
  }

  /**
   * Scores answers to their prompts; a prompt that several rows share is computed only once.
   * @returns one score per row, in order
   * @throws RangeError naming the row (from 0) whose answer is empty, is too long for the model, or
   *   is rejected by the chat template
   */
  async scoreRows(rows: readonly RewardRow[], signal?: AbortSignal): Promise<RewardScore[]> {
    if (rows.length === 0) return [];
    const heads: number[][] = []; // [K][reads]
    let stepsOf: number[] | null = null;
    for (const member of this.#members) {
      const reading = this.#reading(member.record);
      const prompts = rows.map((row, index) => tokeniseRewardRow(row, index, reading));
      const reads = prompts.map(({ answers }) => answers[0]!.reads.length);
      const options = { tokens: this.#tokens, ...(signal && { signal }) };
      const found = await scoreAnswers(this.model, member.role, prompts, options);
      const flat = found.flat(); // [reads][K]
      const byHead = Array.from({ length: member.heads }, (_, head) =>
        flat.map((scores) => scores[head]!),
      );
      heads.push(...rewardsOf(byHead, member.record).heads);
      if (member.record.scores === 'steps') stepsOf = reads;
    }
    const record = { ensemble: this.#ensemble, normalisation: null };
    const { rewards } = rewardsOf(heads, record);
    let at = 0;
    return rows.map((_, row) => {
      const count = stepsOf?.[row] ?? 1;
      const steps = rewards.slice(at, at + count);
      const own = heads.map((scores) => scores.slice(at, at + count));
      at += count;
      if (stepsOf === null) return { score: steps[0]!, heads: own.map((scores) => scores[0]!) };
      return { score: allRight(steps), heads: own.map(allRight), steps };
    });
  }

  #reading(record: RewardRecord): RewardRowReading {
    return {
      record,
      tokenizer: this.#tokenizer,
      config: this.model.decoder.config,
      scoresEmpty: this.#scoresEmpty,
      onLost: (fields) => {
        this.#onLost?.(fields);
        this.#onLost = undefined;
      },
    };
  }

  /** Frees the model if it was opened here. */
  [Symbol.dispose](): void {
    if (this.#owns) this.model.dispose();
  }
}

/**
 * log p(every step is right), from log-odds (Lightman et al. 2023, arXiv:2305.20050, section 2.4:
 * the product of the steps).
 */
const allRight = (logOdds: readonly number[]): number =>
  logOdds.reduce((sum, x) => sum + Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x))), 0);
