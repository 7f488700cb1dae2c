// A trained reward model as something that scores answers.
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

/** An answer to be scored. */
export interface RewardRow {
  prompt: Content;
  completion: Content;
  /** What the chat template is given beside the messages. */
  rendering?: Rendering;
}

export interface RewardScore {
  /** One number: normalised, and of several heads or models combined. */
  score: number;
  /** Normalised scores of each head; of several models, those of the first come first. */
  heads: number[];
  /**
   * Of a process reward model: the score of each step, and `score` is the log-probability that all
   * are right.
   */
  steps?: number[];
}

export interface OpenRewardModelOptions
  extends Pick<LoadModelOptions, 'precision' | 'device' | 'notice'> {
  /** Base of an adapter; the one that it names, unless told. */
  model?: string;
  /** In place of what the model was saved with. */
  ensemble?: { rule: EnsembleRule; k?: number };
  /** Most tokens of a pass. */
  batchTokens?: number;
  /**
   * An empty answer is an error, unless told; a policy that is trained may well give one, and its
   * score is read at its end.
   */
  emptyAnswers?: 'refuse' | 'score';
  /** The date and time that chat templates print (default: when they are rendered). */
  now?: string;
  /** Told once, with the fields, where the chat template leaves text of an answer out. */
  onLost?(fields: readonly string[]): void;
}

/** One model of an ensemble: a role with a scalar head, and what stands beside it. */
interface Member {
  role: Role;
  record: RewardRecord;
  heads: number;
}

/**
 * A reward model on its base. Several adapters on one base are an ensemble: the base is in memory
 * once. Dispose it; a base that was given stays its owner's.
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
   * Opens a reward model: a folder as `keel reward` or transformers saves a sequence classifier, or
   * one or several adapters on the same base as `keel reward` or PEFT saves them.
   * @throws CheckpointError when files are damaged; Error when a folder is no reward model, or
   *   several are no adapters
   */
  static async open(
    folders: string | readonly string[],
    options: OpenRewardModelOptions = {},
  ): Promise<RewardModel> {
    const paths = typeof folders === 'string' ? [folders] : folders;
    const [first] = paths;
    if (first === undefined) throw new Error('no reward model was named');
    const adapters = paths.filter(isAdapter);
    if (adapters.length > 0 && adapters.length < paths.length) {
      throw new Error(
        `${paths.join(', ')}: an ensemble is of adapters on one base, and ${paths.find((path) => !isAdapter(path))} is none`,
      );
    }
    if (adapters.length === 0 && paths.length > 1) {
      throw new Error(
        `${paths.join(', ')}: whole models cannot be one ensemble here; train adapters (--lora) or several --heads`,
      );
    }
    const base = adapters.length === 0 ? first : (options.model ?? baseOfAdapter(first));
    const template = rewardTemplate(paths, options.now);
    const model = await loadModel(base, { ...options, classifier: true, template });
    try {
      return adapters.length > 0
        ? RewardModel.#onBase(model, paths, options, true)
        : new RewardModel(model, [wholeMember(model, first)], options, true);
    } catch (error) {
      model.dispose();
      throw error;
    }
  }

  /**
   * Lays reward adapters over a model that is loaded already: policy and rewards then share one
   * base.
   * @param options `tokenizer`: the one that they were trained with, where the model is used with
   *   another chat template
   * @throws CheckpointError when an adapter does not fit the model, or is none of a reward model
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

  /** Scores of a row: one for each of these. */
  get heads(): number {
    return this.#members.reduce((sum, { heads }) => sum + heads, 0);
  }

  /** How each member reads and is normalised. */
  get records(): readonly RewardRecord[] {
    return this.#members.map(({ record }) => record);
  }

  /**
   * Scores answers to their prompts; a prompt that several rows share is computed once.
   * @returns one for each row, in order
   * @throws RangeError naming the row (from 0) whose answer is empty, is longer than the model
   *   takes, or is refused by the chat template
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
      if (completions.length === 0) throw new RangeError(`row ${index}: the answer is empty`);
      const { prompt: asked, answer } = told(index, () =>
        tokeniseSteps({ prompt, completions, rendering }, tokenizer, reading),
      );
      found = { prompt: asked, answers: [answer] };
    } else {
      if (isEmpty(completion) && !this.#scoresEmpty) {
        throw new RangeError(`row ${index}: the answer is empty`);
      }
      const row = { prompt, completions: [completion], rendering };
      const { lost, ...read } = told(index, () => readAnswers(row, tokenizer, reading));
      found = read;
      if (lost !== undefined) {
        this.#onLost?.(lost);
        this.#onLost = undefined;
      }
    }
    const [{ tokens, reads }] = found.answers as [AnsweredPrompt['answers'][number]];
    if (reads.length === 0) {
      throw new RangeError(`row ${index}: the answer has no token at which a score can be read`);
    }
    const { vocabularySize } = decoder.config;
    const unknown = unknownToken([found.prompt, tokens], tokenizer, vocabularySize);
    if (unknown !== null) {
      throw new RangeError(
        `row ${index}: expected ${unknown.expected}, found ${unknown.found}. ${unknown.advice}`,
      );
    }
    const length = found.prompt.length + tokens.length;
    const { maxPositions } = decoder.config;
    if (length <= maxPositions) return found;
    throw new RangeError(
      `row ${index}: prompt and answer are ${length} tokens, and the reward model takes at most ${maxPositions}: shorten the answer or leave the row out`,
    );
  }

  /** Frees the model where it was opened here. */
  [Symbol.dispose](): void {
    if (this.#owns) this.model.dispose();
  }
}

/** Whether a folder holds an adapter. */
export const isAdapter = (folder: string): boolean =>
  existsSync(join(folder, 'adapter_config.json'));

/** @throws RangeError naming the row that the chat template refuses */
function told<Made>(index: number, make: () => Made): Made {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof ChatTemplateError)) throw cause;
    throw new RangeError(`row ${index}: ${cause.message}`, { cause });
  }
}

const isEmpty = (content: Content): boolean =>
  isChat(content)
    ? content.every((message) => !message.content && !message.tool_calls)
    : content === '';

/**
 * log p(every step is right), of log-odds (Lightman et al. 2023, arXiv:2305.20050, section 2.4: the
 * product of the steps).
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
 * What a reward model's conversations are rendered with: the template that is saved with it and the
 * variables that it was trained with.
 * @throws Error where several were trained with different ones
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
      `${first!.folder} and ${folder} were trained with different chat templates or variables for them. An ensemble needs the same`,
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
 * How a model is read that another tool saved: as transformers reads it.
 * @throws Error where it has several labels: nothing says which of them is the reward
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
      `${folder} is a classifier with ${heads} labels${named}, and a reward model has one. Give a model whose score.weight has one row, or one that keel reward trained`,
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
      `${folder} is a language model without a scalar head, no reward model: train one with keel reward`,
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
      `${folder} is an adapter without a scalar head, no reward model: train one with keel reward --lora`,
    );
  }
  loadAdapter(model.decoder, folder, role, { leaveHead: true });
  model.addScoreHead(role, head);
  const heads = head.dim(0);
  return { role, record: readRewardRecord(folder) ?? foreignRecord(model, folder, heads), heads };
}
