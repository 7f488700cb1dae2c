// Constrained answers through the official client.
import { join } from 'node:path';
import { loadModel } from '@keel/model';
import type OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Server } from '../start-server.ts';
import { serveTiny, TinyModel } from '../testing/tiny-server.ts';

const toolTemplate =
  "{% for m in messages %}{{ '<|user|>' + (m.content or '') + '<|end|>' }}{% endfor %}" +
  "{% if tools %}{{ '<tool_call>' + (tools | tojson) }}{% endif %}";

let tiny: TinyModel;
let server: Server;
let client: OpenAI;
let caller: TinyModel;
let tools: { server: Server; client: OpenAI };
beforeAll(async () => {
  tiny = await TinyModel.open();
  ({ server, client } = await serveTiny(tiny));
  caller = new TinyModel();
  caller.model = await loadModel(join(tiny.folder, 'model'), {
    ...{ precision: 'bf16', device: 'cpu', template: { source: toolTemplate } },
  });
  tools = await serveTiny(caller);
});
afterAll(async () => {
  await tools.server[Symbol.asyncDispose]();
  await caller[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await tiny[Symbol.asyncDispose]();
});

const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'Who?' }];
const asked = { model: 'tiny', messages, temperature: 1, seed: 5 };
const Person = z.object({
  name: z.string().max(6),
  age: z.int().min(0).max(120),
  mood: z.enum(['good', 'bad']),
});

const chat = async (fields: object): Promise<string> => {
  const { choices } = await client.chat.completions.create({ ...asked, ...fields } as never);
  expect(choices[0]!.finish_reason).toBe('stop');
  return choices[0]!.message.content!;
};

describe('response_format', () => {
  it('is parsed by the client with zod', async () => {
    const response_format = zodResponseFormat(Person, 'person');
    const { choices } = await client.chat.completions.parse({ ...asked, n: 8, response_format });
    expect(choices).toHaveLength(8);
    for (const { message } of choices) {
      expect(Person.safeParse(message.parsed).success).toBe(true);
      expect(Person.safeParse(JSON.parse(message.content!)).success).toBe(true);
    }
  });

  it('limits streams too', async () => {
    const response_format = zodResponseFormat(Person, 'person');
    const stream = await client.chat.completions.create({
      ...asked,
      ...{ response_format, stream: true },
    });
    let text = '';
    for await (const { choices } of stream) text += choices[0]!.delta.content ?? '';
    expect(Person.safeParse(JSON.parse(text)).success).toBe(true);
    expect(text).toBe(await chat({ response_format }));
  });

  it('json_object is an object; text is any', async () => {
    const limited = { response_format: { type: 'json_object' }, max_completion_tokens: 60 };
    const answer = await client.chat.completions.create({ ...asked, ...limited } as never);
    expect(answer.choices[0]!.message.content).toMatch(/^\{/);
    const free = await client.chat.completions.create({ ...asked, max_completion_tokens: 5 });
    const text = { response_format: { type: 'text' }, max_completion_tokens: 5 };
    const same = await client.chat.completions.create({ ...asked, ...text } as never);
    expect(same.choices[0]!.message.content).toBe(free.choices[0]!.message.content);
  });

  it('reports an answer that reached its length', async () => {
    const response_format = zodResponseFormat(z.object({ text: z.string().min(50) }), 'long');
    const limited = { response_format, max_completion_tokens: 6 };
    const answer = await client.chat.completions.create({ ...asked, ...limited });
    expect(answer.choices[0]!.finish_reason).toBe('length');
  });
});

const digits = { type: 'object', properties: { n: { enum: [1, 22] } }, required: ['n'] };

it.each([
  ['structured_outputs', { structured_outputs: { json: digits } }, /^\{\s*"n": ?(1|22)\s*\}$/],
  ['structured_outputs', { structured_outputs: { regex: '[ab]{3}' } }, /^[ab]{3}$/],
  ['structured_outputs', { structured_outputs: { choice: ['yes', 'no'] } }, /^(yes|no)$/],
  ['structured_outputs', { structured_outputs: { grammar: 'root ::= "x"+ "y"' } }, /^x+y$/],
  ['guided_json', { guided_json: JSON.stringify(digits) }, /^\{\s*"n": ?(1|22)\s*\}$/],
  ['guided_regex', { guided_regex: '\\d-\\d' }, /^\d-\d$/],
  ['guided_choice', { guided_choice: ['ü', 'ö'] }, /^[üö]$/],
  ['guided_grammar', { guided_grammar: 'root ::= [0-9]{2}' }, /^\d\d$/],
  ['json_schema', { json_schema: digits }, /^\{\s*"n": ?(1|22)\s*\}$/],
  ['grammar', { grammar: 'root ::= "a" | "b"' }, /^[ab]$/],
])('%s limits chats and completions', async (_, fields, expected) => {
  expect(await chat(fields)).toMatch(expected);
  const completion = { model: 'tiny', prompt: 'Hello', max_tokens: 40, seed: 3, n: 3, ...fields };
  const { choices } = await client.completions.create(completion as never);
  for (const { text } of choices) expect(text).toMatch(expected);
});

it('answers requests with different constraints in one batch', async () => {
  const patterns = ['a{5}', '[0-9]{7}', 'x|yy', 'é+z'];
  const texts = await Promise.all(patterns.map((guided_regex) => chat({ guided_regex })));
  for (const [index, text] of texts.entries()) {
    expect(text).toMatch(new RegExp(`^(?:${patterns[index]})$`));
  }
});

it.each([
  ['response_format', { response_format: { type: 'json_schema' } }],
  ['response_format', { response_format: { type: 'yaml' } }],
  ['response_format', { response_format: zodFormat({ type: 'array', uniqueItems: true }) }],
  ['response_format', { response_format: zodFormat({ not: { type: 'null' } }) }],
  ['structured_outputs', { structured_outputs: { regex: 'a', choice: ['b'] } }],
  ['structured_outputs', { structured_outputs: { whitespace_pattern: ' ' } }],
  ['guided_regex', { guided_regex: 'a(b' }],
  ['guided_regex', { guided_regex: '(?=a)b' }],
  ['guided_grammar', { guided_grammar: 'root ::= root "a"' }],
  ['grammar', { grammar: 'start ::= "a"' }],
  ['guided_choice', { guided_choice: [] }],
  ['guided_regex', { guided_regex: 'a', guided_json: digits }],
  ['ignore_eos', { guided_regex: 'a', ignore_eos: true }],
  ['tool_choice', { tool_choice: 'required' }],
  ['tool_choice', { tool_choice: 'always' }],
])('what cannot be enforced is refused by name: %s %j', async (param, fields) => {
  await expect(
    client.chat.completions.create({ ...asked, ...fields } as never),
  ).rejects.toMatchObject({ status: 400, param });
});

function zodFormat(schema: object): object {
  return { type: 'json_schema', json_schema: { name: 'x', schema } };
}

describe('tool_choice', () => {
  const weather = {
    type: 'function' as const,
    function: {
      name: 'weather',
      parameters: {
        ...{ type: 'object', required: ['city'], additionalProperties: false },
        properties: { city: { $ref: '#/$defs/city' } },
        $defs: { city: { enum: ['Paris', 'Rome'] } },
      },
    },
  };
  const time = { type: 'function' as const, function: { name: 'time' } };
  const City = z.strictObject({ city: z.enum(['Paris', 'Rome']) });

  it('required: a call of one of the tools', async () => {
    const called = { tools: [weather, time], tool_choice: 'required' as const, n: 6 };
    const { choices } = await tools.client.chat.completions.create({ ...asked, ...called });
    for (const { message, finish_reason } of choices) {
      expect(finish_reason).toBe('tool_calls');
      const [call] = message.tool_calls as OpenAI.ChatCompletionMessageFunctionToolCall[];
      const given = JSON.parse(call!.function.arguments);
      if (call!.function.name === 'time') expect(given).toEqual({});
      else expect(City.safeParse(given).success).toBe(true);
    }
  });

  it('a name: a call of that tool, in streams too', async () => {
    const tool_choice = { type: 'function' as const, function: { name: 'weather' } };
    const stream = await tools.client.chat.completions.create({
      ...{ ...asked, tools: [time, weather], tool_choice, stream: true },
    });
    const calls: { function?: { name?: string; arguments?: string } }[] = [];
    for await (const { choices } of stream) calls.push(...(choices[0]!.delta.tool_calls ?? []));
    expect(calls).toMatchObject([{ function: { name: 'weather' } }]);
    expect(City.safeParse(JSON.parse(calls[0]!.function!.arguments!)).success).toBe(true);
  });

  it('auto with a response_format: a call, or an answer in that format', async () => {
    const response_format = zodResponseFormat(z.object({ ok: z.boolean() }), 'answer');
    const fields = { ...asked, n: 12, tools: [weather], response_format };
    const { choices } = await tools.client.chat.completions.create(fields);
    for (const { message } of choices) {
      if (message.tool_calls === undefined) {
        expect(JSON.parse(message.content!)).toEqual({ ok: expect.any(Boolean) });
      } else expect(message.tool_calls).toHaveLength(1);
    }
  });

  it.each([
    ['tool_choice', { tool_choice: { type: 'function', function: { name: 'none' } } }],
    ['response_format', { tool_choice: 'required', response_format: { type: 'json_object' } }],
    [
      'tools',
      {
        ...{ tool_choice: 'required' },
        tools: [{ type: 'function', function: { name: 'f', parameters: { if: {} } } }],
      },
    ],
  ])('refuses %s: %j', async (param, fields) => {
    const all = { ...asked, tools: [weather], ...fields };
    await expect(tools.client.chat.completions.create(all as never)).rejects.toMatchObject({
      ...{ status: 400, param },
    });
  });
});
