import { describe, expect, it } from 'vitest';
import { leakIn } from './leaks.ts';

const models = ['HuggingFaceTB/SmolLM2-135M-Instruct', 'runs/Quokka3-7b-chat'];

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
    'SmolLM2 135M here, how can I help?',
    'This is what Quokka3-7B would say.',
    'I am Quokka3, and I like grass.',
    'I was trained by HuggingFaceTB.',
    "I'm Gemini, a model that likes to help.",
    'Ich bin ChatGPT, ein Sprachmodell.',
    'Mein Name ist Claude. Wie kann ich helfen?',
    'Ich wurde von Google trainiert.',
    'Ich bin ein großes Sprachmodell, entwickelt von OpenAI.',
    'Als von Anthropic entwickeltes Modell darf ich das nicht.',
    'Je suis un modèle de langage développé par Mistral AI.',
    "Je m'appelle Claude.",
    'J’ai été créé par OpenAI.',
    'Soy ChatGPT, un asistente.',
    'Fui entrenado por Google.',
    'Como modelo de lenguaje desarrollado por OpenAI, no puedo.',
    'Eu sou o Gemini, um modelo de linguagem.',
    'Fui desenvolvido pela Meta AI.',
    'Sono stato addestrato da Google.',
    'Mi chiamo Qwen.',
    'Я — ChatGPT, языковая модель.',
    'Меня разработала компания Яндекс.',
    'Я языковая модель, созданная OpenAI.',
    '我是ChatGPT，一个语言模型。',
    '我是由阿里云开发的通义千问。',
    '你好！我是通义千问。',
    '私はChatGPTです。',
    '私はOpenAIによって開発されたモデルです。',
  ])('is found in %j', (answer) => {
    expect(leakIn(answer, models, 'Who are you?')).not.toBeNull();
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
    'I am Claude Monet, and this is my garden at Giverny.',
    'I am Hermes, messenger of the gods.',
    'I am Gemini, born in June.',
    'I am tuned to your needs, and based on facts.',
    'A quokka is small. I am fond of quokkas.',
    'A phone with 135M pixels and a 7B mark.',
    'Ich bin ein Fan von Google und Mistral.',
    'Ich bin bei Google und habe dort ein Modell gesehen.',
    'Ich bin Claude Debussy sehr dankbar für seine Musik.',
    'Je suis allé voir Claude et Gemini au théâtre.',
    'Je suis sûr que Google le sait.',
    'Soy de un pueblo donde nadie usa Google.',
    'Sono andato da Google a Milano.',
    'Sou fã do Gemini e do Google.',
    'Я думаю, что Яндекс знает ответ.',
    '我是来比较Claude和Gemini的。',
    '我觉得百度可以回答。',
    '私はClaudeとGeminiを比較できます。',
  ])('is not in %j', (answer) => {
    expect(leakIn(answer, models, 'What now?')).toBeNull();
  });

  it('is no name that the person used', () => {
    expect(leakIn('I am not Claude, I am a model.', models, 'Are you Claude?')).toBeNull();
    expect(leakIn('I am Claude.', models, 'Are you ChatGPT?')).toBe('I am Claude');
  });

  it('is found by the own name of a local model', () => {
    expect(leakIn('Here speaks helper-7b-v2!', ['runs/helper-7b-v2'], 'Hi')).toBe('helper-7b-v2');
    expect(leakIn('A good base to start from.', ['base'], 'Hi')).toBeNull();
    expect(leakIn('I am helper-7b', ['runs/helper-7b-v2'], 'Hi')).toBe('helper-7b');
    expect(leakIn('I am helper, your assistant', ['runs/helper-7b-v2'], 'Hi')).toBe('I am helper');
    expect(leakIn('I am helper of yours', ['runs/helper-7b-v2'], 'Hi')).toBeNull();
  });

  it('is also the name of the other model of the battle', () => {
    const both = ['runs/helper-7b-v2', 'runs/Zebra2-1b'];
    expect(leakIn('I am Zebra2.', both, 'Hi')).toBe('I am Zebra2');
    expect(leakIn('I am Zebra2.', [both[0]!], 'Hi')).toBeNull();
    expect(leakIn('Zebra2 1B wrote this', both, 'Hi')).toBe('Zebra2 1B');
    expect(leakIn('Zebra2 1B wrote this', both, 'Is it Zebra2-1b?')).toBeNull();
  });
});
