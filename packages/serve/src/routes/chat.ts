// POST /v1/chat/completions: the model's next turn in a chat.
import type { GenerateOptions, GenerationEvent, GenerationResult } from '@keel/model';
import type { TokenLogprobs } from '@keel/model/internal';
import type { Context } from 'hono';
import { invalid } from '../api-error.ts';
import type { ServerContext } from '../context.ts';
import { type ChatFields, chatSchema } from '../protocol/chat-fields.ts';
import { answerLength, samplingOf } from '../protocol/fields.ts';
import { finishReason, usageOf } from '../protocol/finish.ts';
import { parseBody } from '../protocol/parse-body.ts';
import type { TokenTexts } from '../protocol/token-text.ts';
import { newCallId } from '../tools/call-id.ts';
import { ToolCallReader } from '../tools/tool-call-reader.ts';
import type { ToolCall, ToolFormat } from '../tools/tool-formats.ts';
import { answersOf, Leaving, newId, type StreamWriter, seconds, streamed } from './answering.ts';
import { type ChatPrompt, chatPrompt } from './chat-prompt.ts';
import { constrainedChat } from './constrained-chat.ts';

export const chat = (server: ServerContext) => async (context: Context) => {
  const fields = await parseBody(context.req.raw, chatSchema);
  const { served, release } = server.adapters.use(fields.model ?? server.adapters.base.name);
  let started = false;
  try {
    const { tokenizer, adapter, name } = served;
    const prompt = chatPrompt(fields, tokenizer, name);
    const { decoder } = server.engine.model;
    const free = optionsOf(fields, prompt, adapter, server);
    const options = await constrainedChat(fields, prompt, free, { tokenizer, decoder });
    const leaving = new Leaving(context.req.raw);
    const generation = server.engine.submit([prompt.tokens], options, {
      ...{ signal: leaving.signal, release },
    });
    started = true;
    const id = newId('chatcmpl');
    const head = { created: seconds(), model: name, system_fingerprint: server.fingerprint };
    if (fields.stream) {
      const chunk = { id, object: 'chat.completion.chunk', ...head };
      const writer = chunks(fields, prompt, chunk, server.texts, () => generation.reusedTokens);
      return streamed(context, generation, leaving, writer);
    }
    const [answers] = (await answersOf(generation)) as [GenerationResult[]];
    const made = answers.reduce((sum, { tokens }) => sum + tokens.length, 0);
    return context.json({
      ...{ id, object: 'chat.completion', ...head },
      choices: answers.map((answer, index) => choice(fields, prompt, answer, index, server.texts)),
      usage: usageOf(prompt.tokens.length, made, generation.reusedTokens),
      ...(fields.return_token_ids && { prompt_token_ids: prompt.tokens }),
    });
  } finally {
    if (!started) release();
  }
};

function optionsOf(
  fields: ChatFields,
  { tokens, tools }: ChatPrompt,
  adapter: string | null,
  { engine, context }: ServerContext,
): GenerateOptions {
  const { max_tokens: old, max_completion_tokens: length, logprobs, top_logprobs: top } = fields;
  const { tokenizer, decoder } = engine.model;
  if (old != null && length != null && old !== length) {
    throw invalid('max_tokens', 'max_tokens and max_completion_tokens differ. Set only one');
  }
  if (top != null && !logprobs) {
    throw invalid('top_logprobs', 'top_logprobs needs "logprobs": true');
  }
  const where = { promptTokens: tokens.length, context, param: 'messages' };
  const { vocabularySize } = decoder.config;
  const { endOfTurnIds } = tokenizer;
  return {
    ...samplingOf(fields, { vocabularySize, endOfTurnIds, adapter }),
    ...answerLength(length ?? old ?? null, fields.min_tokens ?? 0, where),
    topLogprobs: logprobs ? (top ?? 0) : null,
    ...(tools?.specialMarks && { skipSpecialTokens: false }),
  };
}

function choice(
  fields: ChatFields,
  { opened, tools }: ChatPrompt,
  answer: GenerationResult,
  index: number,
  texts: TokenTexts,
): object {
  const { text, calls } = callsIn(answer.text, tools, fields);
  const content = opened + text;
  return {
    index,
    message: {
      role: 'assistant',
      content: calls.length > 0 && content === '' ? null : content,
      refusal: null,
      ...(calls.length > 0 && { tool_calls: calls.map((call) => namedCall(call, tools!)) }),
    },
    logprobs: fields.logprobs ? chatLogprobs(answer.modelLogprobs ?? [], texts) : null,
    finish_reason: calls.length > 0 ? 'tool_calls' : finishReason(answer),
    ...(fields.return_token_ids && { token_ids: answer.tokens }),
  };
}

function callsIn(
  text: string,
  format: ToolFormat | null,
  fields: ChatFields,
): { text: string; calls: ToolCall[] } {
  if (format === null) return { text, calls: [] };
  const reader = new ToolCallReader(format);
  const before = reader.push(text);
  const end = reader.end();
  return { text: (before + end.text).trimEnd(), calls: allowed(end.calls, fields) };
}

const allowed = (calls: ToolCall[], { parallel_tool_calls: parallel }: ChatFields): ToolCall[] =>
  parallel === false ? calls.slice(0, 1) : calls;

const namedCall = ({ name, arguments: given }: ToolCall, format: ToolFormat) => ({
  ...{ id: newCallId(format), type: 'function', function: { name, arguments: given } },
});

const chatLogprobs = (scores: readonly TokenLogprobs[], texts: TokenTexts): object => {
  const shown = (token: number, logprob: number): object => {
    return { token: texts.text(token), logprob, bytes: texts.bytes(token) };
  };
  const content = scores.map(({ token, logprob, top }) => ({
    ...shown(token, logprob),
    top_logprobs: top.map((one) => shown(one.token, one.logprob)),
  }));
  return { content, refusal: null };
};

function chunks(
  fields: ChatFields,
  prompt: ChatPrompt,
  head: object,
  texts: TokenTexts,
  reused: () => number,
): StreamWriter {
  const withUsage = fields.stream_options?.include_usage === true;
  const readers = new Map<number, ToolCallReader>();
  let made = 0;
  const one = (index: number, delta: object, own: object = {}): object => ({
    ...{ ...head, choices: [{ index, delta, logprobs: null, finish_reason: null, ...own }] },
    ...(withUsage && { usage: null }),
  });
  const readerOf = (index: number): ToolCallReader | null => {
    if (prompt.tools === null) return null;
    const reader = readers.get(index) ?? new ToolCallReader(prompt.tools);
    readers.set(index, reader);
    return reader;
  };
  return {
    start: () =>
      Array.from({ length: fields.n ?? 1 }, (_, index) => {
        const ids = fields.return_token_ids ? { prompt_token_ids: prompt.tokens } : {};
        return { ...one(index, { role: 'assistant', content: prompt.opened }), ...ids };
      }),
    event(event: GenerationEvent): object[] {
      const index = event.sampleIndex;
      const reader = readerOf(index);
      const text = reader === null ? event.text : reader.push(event.text);
      if (event.type === 'token') {
        const scored = fields.logprobs && event.modelLogprobs !== undefined;
        if (text === '' && !scored && !fields.return_token_ids) return [];
        return [
          one(index, text === '' ? {} : { content: text }, {
            ...(scored && { logprobs: chatLogprobs([event.modelLogprobs!], texts) }),
            ...(fields.return_token_ids && { token_ids: [event.token] }),
          }),
        ];
      }
      made += event.result.tokens.length;
      const end = reader?.end() ?? { text: '', calls: [] };
      const rest = text + end.text;
      const calls = allowed(end.calls, fields).map((call, at) => ({
        ...{ index: at, ...namedCall(call, prompt.tools!) },
      }));
      return [
        ...(rest === '' ? [] : [one(index, { content: rest })]),
        ...calls.map((call) => one(index, { tool_calls: [call] })),
        one(
          index,
          {},
          {
            finish_reason: calls.length > 0 ? 'tool_calls' : finishReason(event.result),
          },
        ),
      ];
    },
    end: () => {
      const usage = usageOf(prompt.tokens.length, made, reused());
      return withUsage ? [{ ...head, choices: [], usage }] : [];
    },
  };
}
