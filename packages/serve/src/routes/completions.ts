// POST /v1/completions: continues texts or token ids, with log-probabilities of prompt and answer.
import type { GenerateOptions, GenerationEvent, GenerationResult, Tokenizer } from '@keel/model';
import type { TokenLogprobs } from '@keel/model/internal';
import type { Context } from 'hono';
import { z } from 'zod';
import { invalid } from '../api-error.ts';
import type { ServerContext } from '../context.ts';
import { compiledConstraint, constraintOf } from '../protocol/constraint-fields.ts';
import { answerLength, commonShape, only, samplingOf } from '../protocol/fields.ts';
import { finishReason, usageOf } from '../protocol/finish.ts';
import { parseBody } from '../protocol/parse-body.ts';
import type { TokenTexts } from '../protocol/token-text.ts';
import { answersOf, Leaving, newId, type StreamWriter, seconds, streamed } from './answering.ts';

const ids = z.array(z.int().min(0)).min(1);

const schema = z.strictObject({
  ...commonShape,
  prompt: z.union([z.string(), z.array(z.string()).min(1), ids, z.array(ids).min(1)], {
    error: 'expected a text, a list of texts, token ids, or a list of lists of token ids',
  }),
  max_tokens: z.int().min(0).nullish(),
  logprobs: z.int().min(0).max(20).nullish(),
  echo: z.boolean().nullish(),
  best_of: z.int().min(1).max(128).nullish(),
  add_special_tokens: z.boolean().nullish(),
  return_tokens_as_token_ids: z.boolean().nullish(),
  /** Which distribution `logprobs` are of; vLLM has it as an option of the server. */
  logprobs_mode: z.enum(['raw_logprobs', 'processed_logprobs']).nullish(),
  /**
   * Keel's own: index of the first prompt in a longer list, whose random numbers its answers get.
   */
  prompt_index: z.int().min(0).nullish(),
  suffix: only([''], 'text after the completion is not available'),
});

type Fields = z.infer<typeof schema>;

/** A request that can be answered. */
interface Asked {
  fields: Fields;
  prompts: readonly (readonly number[])[];
  options: GenerateOptions;
  /** Answers to each prompt that are returned. */
  kept: number;
  tokenizer: Tokenizer;
  name: string;
}

/** OpenAI's default. */
const DEFAULT_LENGTH = 16;

export const completions = (server: ServerContext) => async (context: Context) => {
  const fields = await parseBody(context.req.raw, schema);
  const { served, release } = server.adapters.use(fields.model ?? server.adapters.base.name);
  let started = false;
  try {
    const { tokenizer, adapter, name } = served;
    const prompts = promptsOf(fields, tokenizer);
    const asked: Asked = {
      ...{ fields, prompts, tokenizer, name, kept: fields.n ?? 1 },
      options: await constrained(fields, optionsOf(fields, prompts, adapter, server), server),
    };
    const leaving = new Leaving(context.req.raw);
    const generation = server.engine.submit(prompts, asked.options, {
      ...{ signal: leaving.signal, release },
    });
    started = true;
    const head = {
      ...{ id: newId('cmpl'), object: 'text_completion', created: seconds(), model: name },
      system_fingerprint: server.fingerprint,
    };
    if (fields.stream) {
      const writer = chunks(asked, head, server, () => generation.reusedTokens);
      return streamed(context, generation, leaving, writer);
    }
    const answers = await answersOf(generation);
    const choices = answers.flatMap((samples, index) =>
      bestOf(samples, asked.kept).map((answer, at) =>
        choice(asked, answer, index, index * asked.kept + at, server.texts),
      ),
    );
    return context.json({ ...head, choices, usage: usage(asked, answers, generation) });
  } finally {
    if (!started) release();
  }
};

/** With the constraint that the fields ask for. */
async function constrained(
  fields: Fields,
  options: GenerateOptions,
  { engine }: ServerContext,
): Promise<GenerateOptions> {
  const asked = constraintOf(fields);
  if (asked === null) return options;
  const { stopTokenIds = [] } = options;
  return {
    ...options,
    constraint: await compiledConstraint(engine.model, asked, [], { stopTokenIds }),
  };
}

function promptsOf(fields: Fields, tokenizer: Tokenizer): readonly (readonly number[])[] {
  const { prompt, add_special_tokens: addSpecialTokens } = fields;
  const several = Array.isArray(prompt) && typeof prompt[0] !== 'number';
  const list = (several ? prompt : [prompt]) as (string | number[])[];
  return list.map((one, index) => {
    if (typeof one !== 'string') {
      if (addSpecialTokens == null) return one;
      throw invalid('add_special_tokens', 'add_special_tokens needs a text, not token ids');
    }
    const tokens = tokenizer.encode(one, { addSpecialTokens: addSpecialTokens ?? true });
    if (tokens.length > 0) return tokens;
    const param = several ? `prompt[${index}]` : 'prompt';
    throw invalid(param, `${param}: is empty, and there is nothing to continue`);
  });
}

function optionsOf(
  fields: Fields,
  prompts: readonly (readonly number[])[],
  adapter: string | null,
  { engine, context }: ServerContext,
): GenerateOptions {
  const { n, best_of: best, echo, logprobs, stream, max_tokens: length } = fields;
  const { tokenizer, decoder } = engine.model;
  const { vocabularySize } = decoder.config;
  const { endOfTurnIds } = tokenizer;
  if (best != null && best < (n ?? 1)) {
    throw invalid('best_of', `best_of must be at least n (${n ?? 1}), got ${best}`);
  }
  if (stream && best != null && best > (n ?? 1)) {
    throw invalid('best_of', 'best_of above n cannot be streamed: the best is known at the end');
  }
  if (stream && echo && logprobs != null) {
    throw invalid('echo', 'echo with logprobs cannot be streamed. Set "stream" to false');
  }
  const processed = areProcessed(fields);
  if (processed && (echo || (logprobs ?? 0) > 0)) {
    throw invalid(
      'logprobs_mode',
      'processed_logprobs are those of drawn tokens. Pass "logprobs": 0 and no "echo"',
    );
  }
  if (length === 0 && !echo) {
    throw invalid('max_tokens', 'max_tokens is 0, which needs "echo": true');
  }
  const longest = Math.max(...prompts.map((tokens) => tokens.length));
  const ranked = best != null && best > (n ?? 1);
  return {
    ...samplingOf(fields, { vocabularySize, endOfTurnIds, adapter }),
    ...answerLength(Math.max(1, length ?? DEFAULT_LENGTH), fields.min_tokens ?? 0, {
      ...{ promptTokens: longest - (length === 0 ? 1 : 0), context, param: 'prompt' },
    }),
    samplesPerPrompt: best ?? n ?? 1,
    logprobs: processed,
    topLogprobs: processed ? (ranked ? 0 : null) : (logprobs ?? (ranked ? 0 : null)),
    firstIndex: fields.prompt_index ?? 0,
    promptLogprobs: echo && logprobs != null ? logprobs : null,
  };
}

/** Whether log-probabilities are those of the distribution that tokens are drawn from. */
const areProcessed = ({ logprobs, logprobs_mode: mode }: Fields): boolean =>
  logprobs != null && mode === 'processed_logprobs';

/** The answers with the highest mean log-probability of their tokens, best first. */
function bestOf(samples: readonly GenerationResult[], kept: number): readonly GenerationResult[] {
  if (samples.length === kept) return samples;
  const mean = ({ modelLogprobs = [] }: GenerationResult): number =>
    modelLogprobs.reduce((sum, { logprob }) => sum + logprob, 0) /
    Math.max(1, modelLogprobs.length);
  return [...samples].sort((a, b) => mean(b) - mean(a)).slice(0, kept);
}

function choice(
  asked: Asked,
  answer: GenerationResult,
  promptIndex: number,
  index: number,
  texts: TokenTexts,
): object {
  const { fields, prompts, tokenizer } = asked;
  const prompt = prompts[promptIndex]!;
  const nothing = fields.max_tokens === 0;
  const echoed = fields.echo ? echoText(fields, promptIndex, prompt, tokenizer) : '';
  const own = nothing ? [] : drawnScores(fields, answer);
  const scores = fields.echo ? [...echoScores(prompt, answer), ...own] : own;
  return {
    index,
    text: echoed + (nothing ? '' : answer.text),
    logprobs: fields.logprobs == null ? null : legacyLogprobs(scores, fields, texts),
    finish_reason: nothing ? 'length' : finishReason(answer),
    ...(fields.return_token_ids && {
      prompt_token_ids: prompt,
      token_ids: nothing ? [] : answer.tokens,
    }),
  };
}

/** Log-probabilities of an answer's tokens. */
function drawnScores(fields: Fields, answer: GenerationResult): readonly Score[] {
  if (!areProcessed(fields)) return answer.modelLogprobs ?? [];
  return answer.tokens.map((token, at) => ({ token, logprob: answer.logprobs![at]!, top: [] }));
}

/** The prompt as it was sent; the text of token ids. */
function echoText(
  { prompt }: Fields,
  index: number,
  tokens: readonly number[],
  tokenizer: Tokenizer,
): string {
  const one = typeof prompt === 'string' ? prompt : prompt[index];
  return typeof one === 'string' ? one : tokenizer.decode(tokens);
}

type Score = { token: number; logprob: number | null; top: TokenLogprobs['top'] | null };

const echoScores = (
  prompt: readonly number[],
  { promptLogprobs = [] }: GenerationResult,
): Score[] =>
  promptLogprobs.map((score, at) => score ?? { token: prompt[at]!, logprob: null, top: null });

/** The form of /v1/completions: parallel lists. */
function legacyLogprobs(scores: readonly Score[], fields: Fields, texts: TokenTexts): object {
  const named = (token: number): string =>
    fields.return_tokens_as_token_ids ? `token_id:${token}` : texts.text(token);
  let offset = 0;
  const offsets = scores.map(({ token }) => {
    const at = offset;
    offset += texts.text(token).length;
    return at;
  });
  return {
    tokens: scores.map(({ token }) => named(token)),
    token_logprobs: scores.map(({ logprob }) => logprob),
    top_logprobs: scores.map(({ token, logprob, top }) => {
      if (top === null || logprob === null) return null;
      const all = new Map<string, number>();
      // Two tokens can have the same text: the more likely one counts.
      for (const one of [...top, { token, logprob }]) {
        const text = named(one.token);
        all.set(text, Math.max(one.logprob, all.get(text) ?? Number.NEGATIVE_INFINITY));
      }
      return Object.fromEntries(all);
    }),
    text_offset: offsets,
  };
}

function usage(
  { prompts, fields }: Asked,
  answers: readonly (readonly GenerationResult[])[],
  { reusedTokens }: { reusedTokens: number },
) {
  const prompt = prompts.reduce((sum, { length }) => sum + length, 0);
  const made = answers.flat().reduce((sum, { tokens }) => sum + tokens.length, 0);
  return usageOf(prompt, fields.max_tokens === 0 ? 0 : made, reusedTokens);
}

function chunks(
  asked: Asked,
  head: object,
  { texts }: ServerContext,
  reused: () => number,
): StreamWriter {
  const { fields, prompts, tokenizer, kept } = asked;
  const begun = new Set<number>();
  let made = 0;
  const withUsage = fields.stream_options?.include_usage === true;
  const one = (own: object): object => ({
    ...{ ...head, choices: [{ logprobs: null, finish_reason: null, ...own }] },
    ...(withUsage && { usage: null }),
  });
  return {
    start: () => [],
    event(event: GenerationEvent): object[] {
      const { promptIndex, sampleIndex } = event;
      const index = promptIndex * kept + sampleIndex;
      const prompt = prompts[promptIndex]!;
      const out: object[] = [];
      if (!begun.has(index)) {
        begun.add(index);
        const text = fields.echo ? echoText(fields, promptIndex, prompt, tokenizer) : '';
        const ids = fields.return_token_ids ? { prompt_token_ids: prompt, token_ids: [] } : {};
        if (text !== '' || fields.return_token_ids) out.push(one({ index, text, ...ids }));
      }
      if (event.type === 'done') {
        made += fields.max_tokens === 0 ? 0 : event.result.tokens.length;
        const text = fields.max_tokens === 0 ? '' : event.text;
        out.push(one({ index, text, finish_reason: finishReason(event.result) }));
      } else if (fields.max_tokens !== 0) {
        const { text, token, logprob } = event;
        const score: Score | undefined = areProcessed(fields)
          ? { token, logprob: logprob!, top: [] }
          : event.modelLogprobs;
        const scored = score !== undefined;
        if (text === '' && !scored && !fields.return_token_ids) return out;
        out.push(
          one({
            ...{ index, text },
            ...(scored && { logprobs: legacyLogprobs([score], fields, texts) }),
            ...(fields.return_token_ids && { token_ids: [token] }),
          }),
        );
      }
      return out;
    },
    end: () => {
      const prompt = prompts.reduce((sum, { length }) => sum + length, 0);
      return withUsage ? [{ ...head, choices: [], usage: usageOf(prompt, made, reused()) }] : [];
    },
  };
}
