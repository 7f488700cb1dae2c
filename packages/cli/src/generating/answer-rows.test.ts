import { parseRow } from '@keel/align/data';
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
