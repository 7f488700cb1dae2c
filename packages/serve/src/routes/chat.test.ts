import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { turnPrompt } from '@keel/align/internal';
import { generateAll, loadModel } from '@keel/model';
import type OpenAI from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Server, startServer } from '../start-server.ts';
import { serveTiny, TinyModel } from '../testing/tiny-server.ts';

let tiny: TinyModel;
let server: Server;
let client: OpenAI;
beforeAll(async () => {
  tiny = await TinyModel.open();
  ({ server, client } = await serveTiny(tiny));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await tiny[Symbol.asyncDispose]();
});

type Messages = OpenAI.ChatCompletionMessageParam[];
const messages: Messages = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Is it raining?' },
];
const greedy = { model: 'tiny', temperature: 0, max_completion_tokens: 10 };

/** What `keel generate` gives. */
async function alone(asked: Messages = messages) {
  const { tokens } = turnPrompt(tiny.model, asked as never);
  const how = { temperature: 0, maxNewTokens: 10, topLogprobs: 3 };
  return { tokens, result: (await generateAll(tiny.model, [tokens], how))[0]! };
}

test('a greedy answer is that of generate', async () => {
  const { tokens, result } = await alone();
  const answer = await client.chat.completions.create({ ...greedy, messages });
  expect(answer).toMatchObject({
    object: 'chat.completion',
    model: 'tiny',
    choices: [{ index: 0, message: { role: 'assistant', content: result.text }, logprobs: null }],
    usage: { prompt_tokens: tokens.length, completion_tokens: result.tokens.length },
  });
});

test('parts of a message are joined, and other parts are refused', async () => {
  const parts = (content: unknown): Messages => [{ role: 'user', content } as never];
  const { result } = await alone(parts('Is it raining?'));
  const texts = ['Is it ', 'raining?'].map((text) => ({ type: 'text', text }));
  const answer = await client.chat.completions.create({ ...greedy, messages: parts(texts) });
  expect(answer.choices[0]!.message.content).toBe(result.text);
  const image = { type: 'image_url', image_url: { url: 'http://localhost/a.png' } };
  await expect(
    client.chat.completions.create({ ...greedy, messages: parts([image]) }),
  ).rejects.toMatchObject({ status: 400, param: expect.stringMatching(/^messages\[0\].content/) });
});

test('log-probabilities have tokens, bytes and alternatives', async () => {
  const { result } = await alone();
  const { choices } = await client.chat.completions.create({
    ...{ ...greedy, messages, logprobs: true, top_logprobs: 3 },
  });
  const content = choices[0]!.logprobs!.content!;
  expect(content.map(({ logprob }) => logprob)).toEqual(
    result.modelLogprobs!.map(({ logprob }) => logprob),
  );
  for (const { token, bytes, logprob, top_logprobs } of content) {
    expect(top_logprobs).toHaveLength(3);
    expect(top_logprobs[0]!.logprob).toBe(logprob);
    if (!token.startsWith('bytes:')) expect(Buffer.from(bytes!).toString()).toBe(token);
  }
});

test('a stream starts with the role, and joins to the answer', async () => {
  const { result } = await alone();
  const stream = await client.chat.completions.create({
    ...{ ...greedy, messages, stream: true, n: 2, logprobs: true },
    stream_options: { include_usage: true },
  });
  const chunks = await Array.fromAsync(stream);
  expect(chunks[0]!.choices[0]!.delta).toEqual({ role: 'assistant', content: '' });
  for (const index of [0, 1]) {
    const own = chunks.flatMap(({ choices }) => choices.filter((one) => one.index === index));
    expect(own.map(({ delta }) => delta.content ?? '').join('')).toBe(result.text);
    expect(own.flatMap(({ logprobs }) => logprobs?.content ?? [])).toHaveLength(
      result.tokens.length,
    );
    expect(own.filter(({ finish_reason }) => finish_reason !== null)).toHaveLength(1);
  }
  expect(chunks.at(-1)).toMatchObject({
    choices: [],
    usage: { completion_tokens: 2 * result.tokens.length },
  });
});

test('an assistant message is continued only if that is asked for', async () => {
  const opened: Messages = [...messages, { role: 'assistant', content: 'It' }];
  const { tokenizer } = tiny.model;
  const continued = tokenizer.encode(
    tokenizer.chatTemplate!.render(opened as never, { continueFinalMessage: true }),
  );
  const extra = { continue_final_message: true, add_generation_prompt: false };
  const asked = { ...greedy, messages: opened, return_token_ids: true };
  const ids = async (fields: object) =>
    (
      (await client.chat.completions.create({ ...asked, ...fields } as never)) as unknown as {
        prompt_token_ids: number[];
      }
    ).prompt_token_ids;
  expect(await ids(extra)).toEqual(continued);
  expect(await ids({})).toEqual(
    tokenizer.encode(
      tokenizer.chatTemplate!.render(opened as never, { addGenerationPrompt: true }),
    ),
  );
});

test.each([
  ['tool_choice', { tool_choice: 'required' }],
  ['tools', { tools: [{ type: 'function', function: { name: 'f' } }] }],
  ['top_logprobs', { top_logprobs: 2 }],
  ['messages[0].role', { messages: [{ role: 'human', content: 'hi' }] }],
  ['messages', { messages: [] }],
  ['functions', { functions: [{ name: 'f' }] }],
  ['max_tokens', { max_tokens: 3 }],
  ['reasoning_effort', { reasoning_effort: 'low' }],
  ['continue_final_message', { continue_final_message: true }],
])('what cannot be used is refused by name: %s', async (param, fields) => {
  await expect(
    client.chat.completions.create({ ...greedy, messages, ...fields } as never),
  ).rejects.toMatchObject({ status: 400, param });
});

test('what the prompt opens is the start of the answer, and tools are called', async () => {
  const chatTemplate =
    "{% for m in messages %}{{ '<|user|>' + m.role + '\\n' + (m.content or '') + '<|end|>' }}{% endfor %}" +
    "{% if tools %}{{ '<tool_call>' + tools[0].function.name }}{% endif %}" +
    "{% if add_generation_prompt %}{{ '<|user|>assistant\\n<think>\\n' }}{% endif %}";
  writeFileSync(join(tiny.folder, 'tools.jinja'), chatTemplate);
  using model = Object.assign(
    await loadModel(join(tiny.folder, 'model'), {
      ...{ precision: 'bf16', template: { source: chatTemplate } },
    }),
    { [Symbol.dispose]: () => model.dispose() },
  );
  await using thinking = await startServer(model, { port: 0, name: 'tiny' });
  const { choices } = await client
    .withOptions({ baseURL: `${thinking.url}/v1` })
    .chat.completions.create({
      ...{ ...greedy, messages },
      tools: [{ type: 'function', function: { name: 'weather', parameters: {} } }],
    });
  expect(choices[0]!.message.content).toMatch(/^<think>\n/);
});
