import { createHash } from 'node:crypto';
import { exactJson } from '@keel/model/exact-json';
import { z } from 'zod';
import type {
  AnswerRating,
  Judge,
  JudgedAnswer,
  JudgedPair,
  NoVerdict,
  PairVerdict,
} from '../judge.ts';
import { allOf, totalUsage } from '../judgements.ts';
import { type Asking, askingShape, checkAsking } from '../prompts/asking.ts';
import { compareQuestion } from '../prompts/compare-question.ts';
import type { AnswerForm } from '../prompts/question.ts';
import { rateQuestions, totalScore } from '../prompts/rate-question.ts';
import { EndpointClient, type EndpointOptions } from './endpoint-client.ts';
import type { Spending } from './endpoint-error.ts';
import { checkEndpoint, endpointShape } from './endpoint-spec.ts';
import {
  type Asked,
  type Form,
  forms,
  isNoLabel,
  nothingAsked,
  QuestionAsker,
} from './question-asker.ts';
import { jsonObject } from './read-label.ts';
import { readsTogether, rubricQuestion } from './rubric-question.ts';

/** The keys of an endpoint judge's spec. */
export const endpointJudgeShape = {
  type: z.literal('endpoint'),
  /** Its name in results (default: `endpoint:MODEL`). */
  name: z.string().min(1).optional(),
  ...endpointShape,
  ...askingShape,
  /** How verdicts are read. Default: the first of these that the endpoint supports. */
  read: z.enum(['auto', ...forms]).default('auto'),
};

export const endpointJudgeSchema = z
  .strictObject(endpointJudgeShape)
  .superRefine(checkEndpoint)
  .superRefine(checkAsking);

export type EndpointJudgeSpec = Omit<z.input<typeof endpointJudgeSchema>, 'type'> & {
  type?: 'endpoint';
};
type CheckedSpec = z.output<typeof endpointJudgeSchema>;

/** A model behind an OpenAI-compatible API as a judge. */
export class EndpointJudge implements Judge {
  readonly name: string;
  readonly identity: string;
  readonly concurrency: number;
  readonly seesOrder = true;
  readonly isAskedInWords = true;
  readonly #spec: CheckedSpec;
  readonly #client: EndpointClient;
  readonly #asker: QuestionAsker;

  /** @throws ConfigError if the key's variable is not set */
  constructor(spec: CheckedSpec, options: EndpointOptions = {}) {
    const { read, prices, max_tokens: maxTokens } = spec;
    const { notice = () => {} } = options;
    this.name = spec.name ?? `endpoint:${spec.model}`;
    this.#spec = spec;
    this.#client = new EndpointClient(spec, options);
    const { name } = this;
    this.#asker = new QuestionAsker({
      ...{ client: this.#client, read, maxTokens, prices, name, notice },
    });
    this.concurrency = spec.concurrency;
    this.identity = identityOf(spec, this.#client.baseUrl);
  }

  /** What it used so far. */
  get spent(): Spending {
    return this.#client.spent;
  }

  async compare(pair: JudgedPair, signal?: AbortSignal): Promise<PairVerdict | NoVerdict> {
    const { verdict, why, ...asked } = await this.#asker.ask(
      (form) => compareQuestion(pair, this.#spec, answerForm(form)),
      signal,
    );
    const rest = { ...(why !== null && { why }), ...asked };
    if (isNoLabel(verdict)) return { ...verdict, ...rest };
    const [first, , third] = this.#spec.labels;
    const tie = this.#spec.ties ? verdict[third]! : 0;
    return { first: verdict[first]! + tie / 2, tie, ...rest };
  }

  async rate(answer: JudgedAnswer, signal?: AbortSignal): Promise<AnswerRating | NoVerdict> {
    if (readsTogether(this.#spec) && this.#asker.form === 'structured') {
      const found = await this.#rateTogether(answer, signal);
      if (found !== null) return found;
    }
    const count = this.#spec.criteria?.length ?? 1;
    const readings = await allOf(
      Array.from({ length: count }, (_, index) =>
        this.#asker.ask(
          (form) => rateQuestions(answer, this.#spec, answerForm(form))[index]!,
          signal,
        ),
      ),
    );
    const placed = (index: number, text: string): string => {
      const name = this.#spec.criteria?.[index]?.name;
      return name === undefined ? text : `${name}: ${text}`;
    };
    const why = readings.flatMap((one, index) => (one.why === null ? [] : placed(index, one.why)));
    const rest = { ...(why.length > 0 && { why: why.join('\n') }), ...sumOf(readings) };
    const scores: number[] = [];
    for (const [index, { verdict }] of readings.entries()) {
      if (isNoLabel(verdict)) {
        return { ...verdict, failed: placed(index, verdict.failed), ...rest };
      }
      scores.push(expected(verdict));
    }
    return this.#rating(scores, rest);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** All criteria in one call; null if the endpoint turns out to accept no schema. */
  async #rateTogether(
    answer: JudgedAnswer,
    signal: AbortSignal | undefined,
  ): Promise<AnswerRating | NoVerdict | null> {
    const asked = nothingAsked();
    const question = rubricQuestion(answer, this.#spec);
    const found = await this.#asker.complete(
      question.messages,
      { schema: { name: 'ratings', schema: question.schema }, insist: ['schema'], signal },
      asked,
    );
    if (found === null) return null;
    if (isNoLabel(found)) return { ...found, ...asked };
    const fields = jsonObject(found.text);
    const scores = fields === null ? null : question.read(fields);
    if (scores === null) return { ...this.#asker.noLabel(found), ...asked };
    const reason = fields?.reason;
    const why = typeof reason === 'string' && reason !== '' ? { why: reason } : {};
    return this.#rating(scores, { ...why, ...asked });
  }

  #rating(scores: readonly number[], rest: Asked & { why?: string }): AnswerRating {
    const { criteria } = this.#spec;
    return {
      score: totalScore(scores, this.#spec),
      ...(criteria !== undefined && {
        criteria: Object.fromEntries(criteria.map(({ name }, index) => [name, scores[index]!])),
      }),
      ...rest,
    };
  }
}

/**
 * Opens an endpoint judge.
 * @throws ConfigError if the key's variable is not set
 */
export const openEndpointJudge = (
  spec: EndpointJudgeSpec,
  options: EndpointOptions = {},
): EndpointJudge =>
  new EndpointJudge(endpointJudgeSchema.parse({ ...spec, type: 'endpoint' }), options);

const answerForm = (form: Form): AnswerForm => (form === 'structured' ? 'json' : 'label');

/** The expected rating. */
const expected = (probabilities: Readonly<Record<string, number>>): number =>
  Object.entries(probabilities).reduce((sum, [label, value]) => sum + Number(label) * value, 0);

const sumOf = (all: readonly Asked[]): Asked => ({
  exchanges: all.flatMap(({ exchanges }) => exchanges),
  usage: totalUsage(all.map(({ usage }) => usage)),
});

/** What the verdicts depend on. Keys, prices, limits and retries are not part of it. */
function identityOf(spec: CheckedSpec, baseUrl: string): string {
  const { model, temperature, max_tokens, seed = null, extra_body, read } = spec;
  return exactJson({
    kind: 'endpoint judge 1',
    endpoint: baseUrl,
    ...{ model, temperature, max_tokens, seed, extra_body, read },
    asked: askedHash(spec),
  });
}

/** A hash of all questions about empty texts, and of what their replies mean. */
function askedHash(asking: Asking): string {
  const prompt = { prompt: '', extra: {}, reference: '' };
  const { criteria, scale, ties, labels } = asking;
  const questions = (['label', 'json'] as const).flatMap((form) => [
    compareQuestion({ ...prompt, answers: ['', ''] }, asking, form),
    ...rateQuestions({ ...prompt, answer: '' }, asking, form),
  ]);
  const together = readsTogether(asking) ? rubricQuestion({ ...prompt, answer: '' }, asking) : null;
  const all = [questions, together?.messages, criteria, scale, ties, labels];
  return createHash('sha256').update(JSON.stringify(all)).digest('hex');
}
