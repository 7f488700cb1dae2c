import { parseRow } from '@keel/align/data';
import { ChatTemplate } from '@keel/model';
import { expect, test } from 'vitest';
import { tinyChatTokenizer } from '../../../align/src/testing/tiny-chat-model.ts';
import { askedRow } from './answer-rows.ts';

test('arguments of calls that are text stay as they are written', () => {
  const place = { file: 'prompts.jsonl', line: 1 };
  const called = { name: 'f', arguments: '{"b":1,  "a":2.0}' };
  const prompt = [
    { role: 'user', content: 'Hello' },
    { role: 'assistant', content: '', tool_calls: [{ function: called }] },
    { role: 'user', content: 'there' },
  ];
  const row = { ...parseRow('prompt', { prompt }, place), place };
  const form = { system: null, raw: false, output: 'out.jsonl' };
  expect(askedRow(row, tinyChatTokenizer(), form).prompt).toEqual(prompt);
});

test('variables of the whole file are written to each row that the template renders', () => {
  const place = { file: 'prompts.jsonl', line: 1 };
  const tokenizer = tinyChatTokenizer();
  const variables = { style: 'short', thinking: true };
  const own = Object.create(tokenizer, {
    chatTemplate: { value: new ChatTemplate(tokenizer.chatTemplate!.sources, {}, { variables }) },
  });
  const asked = (prompt: unknown, columns: object = {}) =>
    askedRow({ ...parseRow('prompt', { prompt, ...columns }, place), place }, own, {
      ...{ system: null, raw: false, output: 'out.jsonl' },
    }).fields;
  const chat = [{ role: 'user', content: 'Hello' }];
  expect(asked(chat)).toEqual({ chat_template_kwargs: variables });
  expect(asked(chat, { chat_template_kwargs: { thinking: false } })).toEqual({
    chat_template_kwargs: { style: 'short', thinking: false },
  });
  expect(asked('Hello')).toEqual({});
});
