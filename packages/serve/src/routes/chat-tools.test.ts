// Tool calls in the responses. The answers are dictated, since a tiny model writes no calls.
import type { GenerationEvent, GenerationResult } from '@keel/model';
import { expect, test } from 'vitest';
import { tinyChatTokenizer } from '../../../align/src/testing/tiny-chat-model.ts';
import { createApp } from '../app.ts';
import type { ServerContext } from '../context.ts';
import { ServerMetrics } from '../metrics/server-metrics.ts';
import { TokenTexts } from '../protocol/token-text.ts';

const tokenizer = tinyChatTokenizer(
  "{% for m in messages %}{{ '<|user|>' + (m.content or '') + '<|end|>' }}{% endfor %}" +
    "{% if tools %}{{ '<tool_call>' + (tools | tojson) }}{% endif %}",
);
const call = '<tool_call>{"name": "weather", "arguments": {"city": "Paris"}}</tool_call>';

/** An engine that gives these texts to every request, in pieces of five characters. */
function dictating(texts: readonly string[]): {
  app: ReturnType<typeof createApp>;
  asked: string[];
} {
  const asked: string[] = [];
  const submit = ([tokens]: [number[]], _: unknown, { release }: { release(): void }) => {
    asked.push(tokenizer.decode(tokens));
    release();
    return { reusedTokens: 0, [Symbol.asyncIterator]: () => events(texts) };
  };
  const served = { name: 'tiny', adapter: null, tokenizer, folder: null, created: 0 };
  const config = { vocabularySize: 100 };
  const context = {
    engine: { submit, model: { tokenizer, decoder: { config } } },
    adapters: { base: served, use: () => ({ served, release: () => {} }) },
    ...{ metrics: new ServerMetrics(() => {}), texts: new TokenTexts(tokenizer) },
    ...{ context: 1000, fingerprint: 'x', adapterLoading: false, adapterFolder: null },
  } as unknown as ServerContext;
  const options = { bodyBytes: 1e6, key: null, localOnly: false, origins: [], log: () => {} };
  return { app: createApp(context, options), asked };
}

async function* events(texts: readonly string[]): AsyncGenerator<GenerationEvent> {
  for (const [sampleIndex, text] of texts.entries()) {
    const name = { promptIndex: 0, sampleIndex };
    for (let at = 0; at < text.length; at += 5) {
      yield { ...name, type: 'token', token: 1, text: text.slice(at, at + 5) };
    }
    const result: GenerationResult = { ...name, tokens: [1], text, finishReason: 'stop' };
    yield { ...name, type: 'done', text: '', result };
  }
}

const tool = { type: 'function', function: { parameters: { minimum: 1.5 }, name: 'weather' } };

const ask = (app: ReturnType<typeof createApp>, fields = {}, body?: string) =>
  app.request('/v1/chat/completions', {
    ...{ method: 'POST', headers: { 'Content-Type': 'application/json' } },
    body:
      body ??
      JSON.stringify({ messages: [{ role: 'user', content: 'Hi' }], tools: [tool], ...fields }),
  });

interface Answered {
  choices: { message: { content: string | null; tool_calls?: object[] }; finish_reason: string }[];
}

const answered = async (app: ReturnType<typeof createApp>, fields = {}): Promise<Answered> =>
  (await (await ask(app, fields)).json()) as Answered;

const weather = {
  id: expect.stringMatching(/^call_/),
  type: 'function',
  function: { name: 'weather', arguments: '{"city":"Paris"}' },
};

test('calls are separated from the text', async () => {
  const { app } = dictating([`Let me see.\n${call}`, 'No call.']);
  const { choices } = await answered(app, { n: 2 });
  expect(choices).toMatchObject([
    {
      message: { content: 'Let me see.', tool_calls: [weather] },
      finish_reason: 'tool_calls',
    },
    { message: { content: 'No call.' }, finish_reason: 'stop' },
  ]);
  expect(choices[1]!.message).not.toHaveProperty('tool_calls');
});

test('an answer of calls alone has no content', async () => {
  const { app } = dictating([`${call}\n${call}`]);
  const { choices } = await answered(app);
  expect(choices[0]!.message).toMatchObject({ content: null, tool_calls: [weather, weather] });
  const single = await answered(app, { parallel_tool_calls: false });
  expect(single.choices[0]!.message.tool_calls).toHaveLength(1);
});

test('a stream has the text, then whole calls', async () => {
  const { app } = dictating([`Let me see. ${call}`]);
  const text = await (await ask(app, { stream: true })).text();
  const chunks = [...text.matchAll(/^data: (\{.*)$/gm)].map(([, json]) => JSON.parse(json!));
  const deltas = chunks.map(({ choices }) => choices[0].delta);
  expect(deltas.map(({ content }) => content ?? '').join('')).toBe('Let me see. ');
  expect(deltas.flatMap(({ tool_calls }) => tool_calls ?? [])).toMatchObject([
    { index: 0, ...weather },
  ]);
  expect(chunks.at(-1).choices[0].finish_reason).toBe('tool_calls');
  expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true);
});

test('the template gets the tools as they were written', async () => {
  const { app, asked } = dictating(['Hello']);
  const body =
    '{"messages": [{"role": "user", "content": "Hi"}], "tools": [{"function": {"name": "f", "parameters": {"minimum": 1.0, "2": "b", "a": 2}}, "type": "function"}]}';
  expect((await ask(app, {}, body)).status).toBe(200);
  expect(asked[0]).toContain(
    '[{"function": {"name": "f", "parameters": {"minimum": 1.0, "2": "b", "a": 2}}, "type": "function"}]',
  );
});

test('tools that are not to be called are not rendered', async () => {
  const { app, asked } = dictating([call]);
  const { choices } = await answered(app, { tool_choice: 'none' });
  expect(asked[0]).not.toContain('<tool_call>');
  expect(choices[0]!.message.content).toBe(call);
  const wrong = await ask(app, { tools: [{ type: 'function' }] });
  expect(await wrong.json()).toMatchObject({ error: { param: 'tools[0]' } });
});
