// A language model of Keel as a judge: its verdict is read from the probabilities of the labels
// that it could answer with, without sampling and parsing.

import { createHash } from 'node:crypto';
import {
  ChatTemplateError,
  generateAll,
  type LanguageModel,
  type LoadModelOptions,
  loadAdapter,
  loadModel,
  type Role,
} from '@keel/model';
import { exactJson } from '@keel/model/exact-json';
import pLimit from 'p-limit';
import { z } from 'zod';
import { promptFault } from '../../batching/prompt-fault.ts';
import { openedPrompt } from '../../batching/prompt-text.ts';
import { runResult } from '../../config/run-result.ts';
import { templateSettings } from '../../config/template-options.ts';
import { hashPath } from '../../data/hash-path.ts';
import type { Content } from '../../data/messages.ts';
import type {
  AnswerRating,
  Exchange,
  Judge,
  JudgedAnswer,
  JudgedPair,
  JudgeUsage,
  NoVerdict,
  PairVerdict,
} from '../judge.ts';
import { allOf, totalUsage } from '../judgements.ts';
import { type Asking, askingShape, checkAsking } from '../prompts/asking.ts';
import { compareQuestion } from '../prompts/compare-question.ts';
import type { Question } from '../prompts/question.ts';
import { rateQuestions, totalScore } from '../prompts/rate-question.ts';
import { LabelReader } from './label-reader.ts';
import { expectedRating, labelTokens } from './label-tokens.ts';
import { roleMarks, withoutMarks } from './role-marks.ts';

export const modelJudgeSchema = z
  .strictObject({
    type: z.literal('model'),
    /** Its name in results (default: the model's). */
    name: z.string().min(1).optional(),
    /** A folder, a run's folder, a GGUF file, hub:owner/name or the default model. */
    model: z.string().min(1),
    /** Folder of an adapter of the model, or of the run that trained it. */
    adapter: z.string().min(1).optional(),
    /** Variables of the chat template, such as enable_thinking. */
    chat_template_kwargs: z.record(z.string(), z.unknown()).optional(),
    /** Ask in plain text, without the chat template. */
    plain_text: z.boolean().default(false),
    /** Largest number of questions in one pass. */
    batch_size: z.int().positive().max(1024).default(8),
    /** Longest reasoning, in tokens. */
    reasoning_tokens: z.int().positive().default(256),
    ...askingShape,
  })
  .superRefine(checkAsking);

export type ModelJudgeSpec = z.output<typeof modelJudgeSchema>;

export interface ModelJudgeOptions extends Pick<LoadModelOptions, 'precision' | 'device'> {
  /** The date and time that chat templates print (default: when they are rendered). */
  now?: string;
}

/**
 * Opens a language model as a judge.
 * @param spec checked by {@link modelJudgeSchema}
 * @throws as `loadModel` and `loadAdapter`
 */
export async function openModelJudge(
  spec: ModelJudgeSpec,
  { now, ...options }: ModelJudgeOptions = {},
): Promise<ModelJudge> {
  const adapter = spec.adapter === undefined ? null : runResult(spec.adapter);
  const variables = spec.chat_template_kwargs;
  const template = templateSettings(
    {
      templateDate: now ?? null,
      chatTemplateKwargs: variables === undefined ? null : exactJson(variables),
    },
    adapter,
  );
  const model = await loadModel(runResult(spec.model), { ...options, template });
  try {
    if (adapter !== null) loadAdapter(model.decoder, adapter, ROLE);
    const identity = {
      kind: 'model judge 1',
      model: await model.hash(),
      adapter: adapter === null ? null : await hashPath(adapter),
      tokenizer: model.tokenizer.hash,
      compute: model.decoder.computeType,
      ...settingsOf(spec),
    };
    return new ModelJudge(model, spec, sha256(exactJson(identity)));
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** What its verdicts depend on besides the model: everything but names and the batch size. */
function settingsOf(spec: ModelJudgeSpec): object {
  const {
    type: _,
    name: _name,
    model: _model,
    adapter: _adapter,
    batch_size: _size,
    ...own
  } = spec;
  return own;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const ROLE: Role = 'judge';

const free = (promptTokens: number, answerTokens = 0): JudgeUsage => ({
  ...{ promptTokens, answerTokens, cost: 0 },
});

interface Reading {
  asked: Content;
  signal: AbortSignal | undefined;
}

interface Read {
  /** The model's reasons, if it gave any. */
  why?: string;
  exchange: Exchange;
  usage: JudgeUsage;
  /** Of each label, out of everything that the model could say. */
  probabilities: number[];
}

/** A question that the model could not be asked, or did not answer. */
class Unanswered extends Error {
  readonly usage: JudgeUsage;
  readonly exchanges: readonly Exchange[];

  constructor(reason: string, usage = free(0), exchanges: readonly Exchange[] = []) {
    super(reason);
    this.usage = usage;
    this.exchanges = exchanges;
  }
}

export class ModelJudge implements Judge {
  readonly name: string;
  readonly identity: string;
  readonly concurrency: number;
  readonly seesOrder = true;
  readonly isAskedInWords = true;
  readonly #model: LanguageModel;
  readonly #role: Role;
  readonly #asking: Asking;
  readonly #chat: boolean;
  readonly #reader: LabelReader;
  readonly #marks: readonly string[];
  readonly #reasoningTokens: number;
  /** Runs one thing at a time. */
  readonly #alone = pLimit(1);

  constructor(model: LanguageModel, spec: ModelJudgeSpec, identity: string) {
    this.name = spec.name ?? spec.model;
    this.identity = identity;
    this.concurrency = spec.batch_size;
    this.#model = model;
    this.#role = spec.adapter === undefined ? 'reference' : ROLE;
    this.#asking = spec;
    this.#chat = !spec.plain_text && model.tokenizer.chatTemplate !== null;
    this.#reasoningTokens = spec.reasoning_tokens;
    this.#marks = roleMarks(model.tokenizer);
    this.#reader = new LabelReader(model, this.#role, { batchSize: spec.batch_size });
  }

  async compare(pair: JudgedPair, signal?: AbortSignal): Promise<PairVerdict | NoVerdict> {
    return this.#answered(async () => {
      const question = compareQuestion(pair, this.#asking);
      const { probabilities, exchange, usage, why } = await this.#ask(question, signal);
      const [first, second, tie = 0] = probabilities as [number, number, number?];
      const all = first + second + tie;
      return {
        first: (first + tie / 2) / all,
        tie: tie / all,
        ...(why !== undefined && { why }),
        ...{ exchanges: [exchange], usage },
      };
    });
  }

  async rate(answer: JudgedAnswer, signal?: AbortSignal): Promise<AnswerRating | NoVerdict> {
    return this.#answered(async () => {
      const questions = rateQuestions(answer, this.#asking);
      const found = await allOf(questions.map((question) => this.#ask(question, signal)));
      const scores = found.map(({ probabilities }, index) =>
        expectedRating(probabilities, questions[index]!.scale.from),
      );
      const why = found.flatMap(({ why: reasons = [] }) => reasons);
      const criteria = questions.flatMap(({ criterion }, index) =>
        criterion === null ? [] : [[criterion, scores[index]!] as const],
      );
      return {
        score: totalScore(scores, this.#asking),
        ...(criteria.length > 0 && { criteria: Object.fromEntries(criteria) }),
        ...(why.length > 0 && { why: why.join('\n\n') }),
        exchanges: found.map(({ exchange }) => exchange),
        usage: totalUsage(found.map(({ usage }) => usage)),
      };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.idle();
    this.#model.dispose();
  }

  async #answered<Verdict>(ask: () => Promise<Verdict>): Promise<Verdict | NoVerdict> {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      return { failed: error.message, exchanges: error.exchanges, usage: error.usage };
    }
  }

  /** @throws Unanswered if the model cannot be asked, or says none of the labels */
  async #ask(question: Question, signal?: AbortSignal): Promise<Read> {
    signal?.throwIfAborted();
    const { labels } = question;
    const { text, asked } = this.#rendered(question);
    if (!question.reasoning) return this.#read(text, { labels, asked, signal });
    const reasons = await this.#reasons(text, question.cue, signal);
    const reasoned = `${text}${reasons.text}\n\n${question.cue}`;
    const found = await this.#read(reasoned, { labels, asked, signal });
    const said = `${reasons.text}\n\n${question.cue} ${found.exchange.said}`;
    return {
      ...{ ...found, why: reasons.text, exchange: { ...found.exchange, said } },
      usage: free(found.usage.promptTokens - reasons.tokens, reasons.tokens),
    };
  }

  /** What the model writes before its verdict. */
  readonly #reasons = async (
    text: string,
    cue: string,
    signal: AbortSignal | undefined,
  ): Promise<{ text: string; tokens: number }> =>
    this.#alone(async () => {
      const tokens = this.#encode(text);
      this.#check(tokens, 0);
      // One at a time: in a batch, the last bits of the logits can differ.
      const [result] = await generateAll(this.#model, [tokens], {
        ...{ temperature: 0, maxNewTokens: this.#reasoningTokens, stopStrings: [cue] },
        ...{ adapter: this.#role, ...(signal && { signal }) },
      });
      signal?.throwIfAborted();
      return { text: result!.text.trim(), tokens: result!.tokens.length };
    });

  /** @throws Unanswered if the model cannot continue the tokens and a label */
  #check(tokens: readonly number[], longestLabel: number): void {
    const { tokenizer, decoder } = this.#model;
    const { maxPositions } = decoder.config;
    // The last token of a label is only predicted.
    const length = tokens.length + Math.max(longestLabel - 1, 0);
    if (length > maxPositions) {
      throw new Unanswered(
        `the question has ${length} tokens, but the judge takes at most ${maxPositions}`,
      );
    }
    const fault = promptFault(tokens, tokenizer, decoder.config);
    if (fault === null) return;
    throw new Unanswered(`the question: expected ${fault.expected}, found ${fault.found}`);
  }

  /** Probabilities of the labels after a text. */
  async #read(
    text: string,
    { labels, asked, signal }: Pick<Question, 'labels'> & Reading,
  ): Promise<Read> {
    const tokens = labelTokens(this.#encode, text, labels);
    this.#check(tokens.prompt, Math.max(...tokens.sequences.map((one) => one.tokens.length)));
    const usage = free(tokens.prompt.length);
    const probabilities = await this.#reader.read(tokens, labels.length, signal);
    const best = Math.max(...probabilities);
    const exchange = {
      asked,
      said: labels[probabilities.indexOf(best)] ?? '',
      probabilities: Object.fromEntries(labels.map((label, at) => [label, probabilities[at]!])),
    };
    if (best > 0) return { exchange, usage, probabilities };
    throw new Unanswered(
      `the judge assigns no probability to any of the labels ${labels.join(', ')}`,
      usage,
      [exchange],
    );
  }

  /** Templates write the special tokens of a chat; before plain text, the tokenizer does. */
  readonly #encode = (text: string): number[] =>
    this.#model.tokenizer.encode(text, { addSpecialTokens: !this.#chat });

  /** The text after which the judge says a label. @throws Unanswered if the template rejects it */
  #rendered({ messages, cue, reasoning }: Question): { text: string; asked: Content } {
    const own = messages.map((message) => ({
      ...message,
      content: withoutMarks(message.content ?? '', this.#marks),
    }));
    if (!this.#chat) {
      const text = own.map(({ content, role }) =>
        role === 'assistant' ? `${cue} ${content}` : content,
      );
      const asked = `${text.join('\n\n')}\n\n${reasoning ? '' : cue}`;
      return { text: asked, asked };
    }
    const { tokenizer } = this.#model;
    try {
      const { text, opened } = openedPrompt({ tokenizer, messages: own, rendering: undefined });
      return { text: text + closing(opened), asked: own };
    } catch (error) {
      if (!(error instanceof ChatTemplateError)) throw error;
      throw new Unanswered(`the chat template of ${this.#model.name}: ${error.message}`);
    }
  }
}

/** Closes a block of reasoning that the generation prompt opens: `<think>\n`. */
function closing(opened: string): string {
  const tag = /^\s*<([\w-]+)>\s*$/.exec(opened);
  return tag === null ? '' : `\n</${tag[1]}>\n\n`;
}
