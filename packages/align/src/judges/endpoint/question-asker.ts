// One question to an endpoint, in the first form that the endpoint supports.
import type { Message } from '../../data/messages.ts';
import type { Exchange, JudgeUsage } from '../judge.ts';
import { noUsage } from '../judgements.ts';
import type { Question } from '../prompts/question.ts';
import { costOf, type Prices } from './budget.ts';
import type { Completion } from './completion.ts';
import type { CompleteOptions, EndpointClient } from './endpoint-client.ts';
import { EndpointError } from './endpoint-error.ts';
import { withoutTemplateMarks } from './plain-messages.ts';
import { labelInJson, labelOnLastLine, readProbabilities } from './read-label.ts';

/** How a verdict is read from a reply. */
export const forms = ['logprobs', 'structured', 'text'] as const;
export type Form = (typeof forms)[number];

/** Tokens for a label alone; some models write a line break or a mark first. */
const LABEL_TOKENS = 16;
/** Below this total probability of the labels, there is no verdict. */
const LEAST_TOTAL = 0.01;
/** Below this total, a notice says so. */
const LOW_TOTAL = 0.5;

/** Why a question has no verdict. */
export interface NoLabel {
  failed: string;
  transient: boolean;
}

/** What was asked, and what it cost. */
export interface Asked {
  exchanges: Exchange[];
  usage: JudgeUsage;
}

/** What one question got. */
export interface Reading extends Asked {
  /** Probabilities by label, which sum to 1, or what was wrong. */
  verdict: Readonly<Record<string, number>> | NoLabel;
  why: string | null;
}

export const isNoLabel = (found: object): found is NoLabel =>
  'failed' in found && typeof found.failed === 'string';

interface AskerParts {
  client: EndpointClient;
  read: 'auto' | Form;
  /** Most tokens of a reply. */
  maxTokens: number;
  prices: Prices | undefined;
  /** Of the judge, for notices. */
  name: string;
  notice: (text: string, code: string) => void;
}

/** Asks the questions of one judge. */
export class QuestionAsker {
  readonly #parts: AskerParts;
  /** Whether labels alone need as many tokens as reasons: the model thinks first. */
  #thinks = false;
  #saidLow = false;

  constructor(parts: AskerParts) {
    this.#parts = parts;
  }

  /** How a verdict is read next, by what the endpoint is known to support. */
  get form(): Form {
    const { read, client } = this.#parts;
    if (read !== 'auto') return read;
    if (client.features.has('logprobs')) return 'logprobs';
    return client.features.has('schema') ? 'structured' : 'text';
  }

  /**
   * Asks one question.
   * @param questionOf the question in a form
   * @throws EndpointError if no other call can succeed, and as `EndpointClient.complete`
   */
  async ask(questionOf: (form: Form) => Question, signal?: AbortSignal): Promise<Reading> {
    const asked = nothingAsked();
    for (;;) {
      const { form } = this;
      const question = questionOf(form);
      const thought = this.#thinks;
      const found = await this.complete(
        question.messages,
        { ...this.#options(question, form), signal },
        asked,
      );
      // The next form.
      if (found === null) continue;
      if (isNoLabel(found)) return { verdict: found, why: null, ...asked };
      const reading = this.#read(found, question, form, asked);
      if (reading !== null) return { ...reading, ...asked };
      // It did not come to its label: a model that thinks first needs more tokens.
      if (form === 'logprobs' && found.finish === 'length' && this.#isShort(question, thought)) {
        this.#thinks = true;
        continue;
      }
      return { verdict: this.noLabel(found), why: null, ...asked };
    }
  }

  /**
   * One call, which is added to `asked`.
   * @returns null if the endpoint does not support what the options insist on
   * @throws EndpointError if no other call can succeed, and as `EndpointClient.complete`
   */
  async complete(
    messages: readonly Message[],
    options: CompleteOptions,
    asked: Asked,
  ): Promise<Completion | NoLabel | null> {
    const { client, prices, read } = this.#parts;
    const sent = withoutTemplateMarks(messages);
    try {
      const found = await client.complete(sent, options);
      asked.usage.promptTokens += found.usage.prompt;
      asked.usage.answerTokens += found.usage.answer;
      asked.usage.cost += costOf(found.usage, prices);
      asked.exchanges.push({ asked: sent, said: found.refusal ?? found.text });
      return found;
    } catch (error) {
      if (!(error instanceof EndpointError)) throw error;
      const { code, scope, message, transient } = error;
      if (code === 'unsupported') {
        if (read === 'auto') return null;
        throw new EndpointError(`${message}. Set "read: auto"`, {
          ...{ code, scope: 'endpoint', transient },
        });
      }
      if (scope === 'endpoint') throw error;
      return { failed: message, transient };
    }
  }

  /** Why a reply contains no verdict. */
  noLabel({ text, finish, refusal }: Completion): NoLabel {
    return { failed: this.#fault(text, finish, refusal), transient: false };
  }

  #fault(text: string, finish: string, refusal: string | null): string {
    if (refusal !== null) return `the judge refused: "${endOf(refusal)}"`;
    if (finish === 'content_filter') return "the endpoint's content filter stopped the reply";
    if (finish === 'length') {
      return `the reply was cut off before its verdict: "${endOf(text)}". Raise "max_tokens" (${this.#parts.maxTokens})`;
    }
    if (text.trim() === '') return 'the reply is empty';
    return `no verdict in "${endOf(text)}"`;
  }

  #options(question: Question, form: Form): CompleteOptions {
    if (form === 'structured') {
      return { schema: { name: 'verdict', schema: verdictSchema(question) }, insist: ['schema'] };
    }
    if (form === 'text') return {};
    return {
      ...{ logprobs: true, insist: ['logprobs'] },
      ...(this.#isShort(question, this.#thinks) && { maxTokens: LABEL_TOKENS }),
    };
  }

  /** Whether a reply with log-probabilities gets only the tokens of a label. */
  #isShort({ reasoning }: Question, thinks: boolean): boolean {
    return !reasoning && !thinks && LABEL_TOKENS < this.#parts.maxTokens;
  }

  /** @returns null if the reply contains no label */
  #read(
    { text, tokens }: Completion,
    question: Question,
    form: Form,
    { exchanges }: Asked,
  ): Pick<Reading, 'verdict' | 'why'> | null {
    const { labels, reasoning } = question;
    if (form === 'logprobs' && tokens !== null) {
      const read = readProbabilities(tokens, question);
      if (read === null || read.total < LEAST_TOTAL) return null;
      const { probabilities, total } = read;
      exchanges.at(-1)!.probabilities = probabilities;
      this.#noticeLow(total);
      return {
        verdict: Object.fromEntries(labels.map((label) => [label, probabilities[label]! / total])),
        why: reasoning ? reasonIn(text, question) : null,
      };
    }
    const inJson = form === 'structured' ? labelInJson(text, labels) : null;
    const label = inJson?.label ?? labelOnLastLine(text, question)?.label;
    if (label === undefined) return null;
    const reason = reasoning && inJson === null ? reasonIn(text, question) : null;
    return {
      verdict: Object.fromEntries(labels.map((one) => [one, one === label ? 1 : 0])),
      why: inJson?.reason ?? reason,
    };
  }

  /** Says once that the labels have little probability. */
  #noticeLow(total: number): void {
    if (total >= LOW_TOTAL || this.#saidLow) return;
    this.#saidLow = true;
    const { name, notice } = this.#parts;
    notice(
      `${name}: in one reply, the labels have only ${(100 * total).toPrecision(2)}% of the probability. The model would rather write something else, so its verdicts may mean little`,
      'labels-unlikely',
    );
  }
}

export const nothingAsked = (): Asked => ({ exchanges: [], usage: { ...noUsage } });

/** A schema that OpenAI accepts as strict. */
const verdictSchema = ({ labels, reasoning }: Question): object => ({
  type: 'object',
  properties: {
    ...(reasoning && { reason: { type: 'string' } }),
    verdict: { type: 'string', enum: labels },
  },
  required: [...(reasoning ? ['reason'] : []), 'verdict'],
  additionalProperties: false,
});

/** What a reply says before its label. */
function reasonIn(text: string, rule: Question): string | null {
  const lines = text.trimEnd().split('\n');
  const found = labelOnLastLine(text, rule);
  const reason = (found === null ? lines : lines.slice(0, -1)).join('\n').trim();
  return reason === '' ? null : reason;
}

/** The end of a text on one line, where its verdict should be. */
function endOf(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 80 ? `...${line.slice(-77)}` : line;
}
