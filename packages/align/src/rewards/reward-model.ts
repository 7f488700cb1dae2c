// A trained reward model that scores answers.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  baseOfAdapter,
  ChatTemplateError,
  type LanguageModel,
  type LoadModelOptions,
  labelsOf,
  loadAdapter,
  loadAdapterHead,
  loadModel,
  otherBaseNotice,
  type Role,
  type Tokenizer,
} from '@keel/model';
import { parseExactJson } from '@keel/model/exact-json';
import { type ReadOptions, readAnswers, tokeniseSteps } from '../batching/tokenise-judged.ts';
import { unknownToken } from '../batching/unknown-token.ts';
import { savedTemplate } from '../config/template-options.ts';
import { type Content, isChat } from '../data/messages.ts';
import type { Rendering } from '../data/rendering.ts';
import type { EnsembleRule } from './ensemble.ts';
import { type RewardRecord, readRewardRecord, rewardsOf } from './reward-record.ts';
import { type AnsweredPrompt, scoreAnswers } from './score-answers.ts';

/** An answer to score. */
export interface RewardRow {
  prompt: Content;
  completion: Content;
  /** The other inputs of the chat template. */
  rendering?: Rendering;
}

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
  extends Pick<LoadModelOptions, 'precision' | 'device' | 'notice'> {
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

/** One model of an ensemble: a role with a scalar head, and its record. */
interface Member {
  role: Role;
  record: RewardRecord;
  heads: number;
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
      const prompts = rows.map((row, index) => this.#tokenise(row, index, member.record));
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

  #tokenise(
    { prompt, completion, rendering }: RewardRow,
    index: number,
    record: RewardRecord,
  ): AnsweredPrompt {
    const reading: ReadOptions = {
      readAt: record.read_at,
      padTokenId: record.pad_token_id,
      stepSeparator: record.step_separator,
    };
    const { decoder } = this.model;
    const tokenizer = this.#tokenizer;
    let found: AnsweredPrompt;
    if (record.scores === 'steps') {
      const completions = stepsIn(completion, record.step_separator);
      if (completions.length === 0) throw new UnscorableRowError(index, 'the answer is empty');
      const { prompt: asked, answer } = atRewardRow(index, () =>
        tokeniseSteps({ prompt, completions, rendering }, tokenizer, reading),
      );
      found = { prompt: asked, answers: [answer] };
    } else {
      if (isEmpty(completion) && !this.#scoresEmpty) {
        throw new UnscorableRowError(index, 'the answer is empty');
      }
      const row = { prompt, completions: [completion], rendering };
      const { lost, ...read } = atRewardRow(index, () => readAnswers(row, tokenizer, reading));
      found = read;
      if (lost !== undefined) {
        this.#onLost?.(lost);
        this.#onLost = undefined;
      }
    }
    const [{ tokens, reads }] = found.answers as [AnsweredPrompt['answers'][number]];
    if (reads.length === 0) {
      throw new UnscorableRowError(index, 'the answer has no token at which a score can be read');
    }
    const { vocabularySize } = decoder.config;
    const unknown = unknownToken([found.prompt, tokens], tokenizer, vocabularySize);
    if (unknown !== null) {
      throw new UnscorableRowError(
        index,
        `expected ${unknown.expected}, found ${unknown.found}. ${unknown.advice}`,
      );
    }
    const length = found.prompt.length + tokens.length;
    const { maxPositions } = decoder.config;
    if (length <= maxPositions) return found;
    throw new UnscorableRowError(
      index,
      `prompt and answer have ${length} tokens, but the reward model takes at most ${maxPositions}: shorten the answer or remove the row`,
    );
  }

  /** Frees the model if it was opened here. */
  [Symbol.dispose](): void {
    if (this.#owns) this.model.dispose();
  }
}

/** Whether a folder holds an adapter. */
export const isAdapter = (folder: string): boolean =>
  existsSync(join(folder, 'adapter_config.json'));

/** A row that a reward model cannot score. */
export class UnscorableRowError extends RangeError {
  override readonly name = 'UnscorableRowError';
  /** Its place among the rows that were scored together, counted from 0. */
  readonly row: number;
  /** The message without the row. */
  readonly reason: string;

  constructor(row: number, reason: string, options?: ErrorOptions) {
    super(`row ${row}: ${reason}`, options);
    this.row = row;
    this.reason = reason;
  }
}

/** @throws UnscorableRowError if the chat template rejects the row */
function atRewardRow<Made>(index: number, make: () => Made): Made {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof ChatTemplateError)) throw cause;
    throw new UnscorableRowError(index, cause.message, { cause });
  }
}

const isEmpty = (content: Content): boolean =>
  isChat(content)
    ? content.every((message) => !message.content && !message.tool_calls)
    : content === '';

/**
 * log p(every step is right), from log-odds (Lightman et al. 2023, arXiv:2305.20050, section 2.4:
 * the product of the steps).
 */
const allRight = (logOdds: readonly number[]): number =>
  logOdds.reduce((sum, x) => sum + Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x))), 0);

function stepsIn(completion: Content, separator: string): string[] {
  const text = isChat(completion)
    ? completion.map(({ content }) => content).join(separator)
    : completion;
  const steps = separator === '' ? [text] : text.split(separator);
  return steps.filter((step) => step.trim() !== '');
}

/**
 * The chat template and variables for a reward model's conversations: those that it was trained
 * with.
 * @throws Error if several models were trained with different ones
 */
export function rewardTemplate(
  folders: readonly string[],
  now: string | undefined,
): NonNullable<LoadModelOptions['template']> {
  const [first, ...others] = folders.map((folder) => ({
    folder,
    source: savedTemplate(folder),
    variables: readRewardRecord(folder)?.chat_template_kwargs ?? null,
  }));
  for (const { folder, source, variables } of others) {
    if (source === first!.source && variables === first!.variables) continue;
    throw new Error(
      `${first!.folder} and ${folder} were trained with different chat templates or template variables, but an ensemble needs the same`,
    );
  }
  const { source, variables } = first!;
  return {
    ...(source !== null && { source }),
    ...(variables !== null && { variables: parseExactJson(variables) as Record<string, unknown> }),
    ...(now !== undefined && { now }),
  };
}

/**
 * The record of a model that another tool saved: it is read as transformers reads it.
 * @throws Error if it has several labels: nothing says which of them is the reward
 */
function foreignRecord(
  model: LanguageModel,
  folder: string,
  heads: number,
  labels: readonly string[] = [],
): RewardRecord {
  if (heads !== 1) {
    const named = labels.length === 0 ? '' : ` (id2label: ${labels.slice(0, 8).join(', ')})`;
    throw new Error(
      `${folder} is a classifier with ${heads} labels${named}, but a reward model has one. Use a model whose score.weight has one row, or one that keel reward trained`,
    );
  }
  const pad = model.configJson.pad_token_id;
  return {
    version: 1,
    scores: 'answers',
    read_at: 'last_not_pad',
    pad_token_id: typeof pad === 'number' ? pad : null,
    step_separator: '\n',
    ensemble: { rule: 'mean', k: 1 },
    normalisation: null,
  };
}

function wholeMember(model: LanguageModel, folder: string): Member {
  if (!model.hasScoreHead('reference')) {
    throw new Error(
      `${folder} is a language model without a scalar head, not a reward model. Train one with \`keel reward\`, or let the model judge answers: --reward judge:${folder}`,
    );
  }
  const heads = model.scoreHead('reference').dim(0);
  const labels = labelsOf(model.configJson);
  const record = readRewardRecord(folder) ?? foreignRecord(model, folder, heads, labels);
  return { role: 'reference', record, heads };
}

function adapterMember(model: LanguageModel, folder: string, role: Role): Member {
  const head = loadAdapterHead(model.decoder, folder, { device: model.device });
  if (head === null) {
    throw new Error(
      `${folder} is the adapter of a language model, without a scalar head, not a reward model. Train one with \`keel reward --lora\`. To generate with this one, pass it as --adapter`,
    );
  }
  loadAdapter(model.decoder, folder, role, { leaveHead: true });
  model.addScoreHead(role, head);
  const heads = head.dim(0);
  return { role, record: readRewardRecord(folder) ?? foreignRecord(model, folder, heads), heads };
}
