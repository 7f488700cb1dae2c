import { expect, test } from 'vitest';
import { tinyChatTokenizer } from '../testing/tiny-chat-model.ts';
import { promptFault } from './prompt-fault.ts';

test('prompts that a model cannot continue', () => {
  const tokenizer = tinyChatTokenizer();
  const fault = (tokens: number[], own = {}) =>
    promptFault(tokens, tokenizer, {
      ...{ maxPositions: 3, vocabularySize: tokenizer.vocabSize, ...own },
    });
  expect(fault([1, 2, 3])).toBeNull();
  expect(fault([])).toMatchObject({ field: 'prompt', found: 'none' });
  expect(fault([1, 2, 3, 4])).toMatchObject({ expected: expect.stringContaining('3'), found: '4' });
  const last = tokenizer.vocabSize - 1;
  expect(fault([1, last], { vocabularySize: last })).toMatchObject({
    found: expect.stringContaining(`${last}`),
  });
});
