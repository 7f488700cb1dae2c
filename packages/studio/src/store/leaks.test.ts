import { describe, expect, it } from 'vitest';
import { leakIn } from './leaks.ts';

const model = 'HuggingFaceTB/SmolLM2-135M-Instruct';

describe('a leak of who answered', () => {
  it.each([
    'I am ChatGPT, a large language model.',
    "I'm an AI assistant made by Anthropic.",
    'My name is Claude. How can I help?',
    'As a large language model trained by Google, I cannot do that.',
    'As an AI developed by OpenAI, I have no opinions.',
    'Hello! I was created by the team at Mistral AI.',
    'I’m Qwen2.5, and I was trained by Alibaba Cloud.',
    'You are talking to SmolLM2-135M-Instruct.',
    'I am SmolLM2, and I like to help.',
    'My developers are at DeepSeek.',
  ])('is found in %j', (answer) => {
    expect(leakIn(answer, model, 'Who are you?')).not.toBeNull();
  });

  it.each([
    'Search on Google, or ask OpenAI for the price list.',
    'I am happy to compare Gemini and Claude for you.',
    'Llamas live in Peru. I am fond of them.',
    'As an assistant I would book a table. Meta is a Greek prefix.',
    'The palm of my hand is open. I am ready.',
    'I am an AI model. I cannot say who made me.',
    'I am going to explain how Google works, and I was told that Meta does the same.',
    "I'm a fan of Mistral wines.",
    'As an assistant to your team, I would compare Google and Microsoft.',
  ])('is not in %j', (answer) => {
    expect(leakIn(answer, model, 'What now?')).toBeNull();
  });

  it('is no name that the person used', () => {
    expect(leakIn('I am not Claude, I am a model.', model, 'Are you Claude?')).toBeNull();
    expect(leakIn('I am Claude.', model, 'Are you ChatGPT?')).toBe('I am Claude');
  });

  it('is found by the own name of a local model', () => {
    expect(leakIn('Here speaks helper-7b-v2!', 'runs/helper-7b-v2', 'Hi')).toBe('helper-7b-v2');
    expect(leakIn('A good base to start from.', 'base', 'Hi')).toBeNull();
    expect(leakIn('I am helper of yours', 'runs/helper-7b-v2', 'Hi')).toBe('I am helper');
  });
});
