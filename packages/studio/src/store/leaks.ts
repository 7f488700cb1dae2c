// Answers that name the model or its maker: who reads them no longer votes blindly.
import { type SelfPhrase, selfPhrases } from './leak-phrases.ts';

/** Families and makers. The names in a sentence about something else are no leak. */
const names = [
  ...['openai', 'chatgpt', 'gpt', 'anthropic', 'google', 'deepmind', 'gemma', 'meta ai', 'llama'],
  ...['mistral', 'mixtral', 'ministral', 'qwen', 'tongyi', 'alibaba', 'deepseek', 'moonshot'],
  ...['kimi', 'grok', 'xai', 'cohere', 'command r', 'microsoft', 'zhipu', 'chatglm', 'glm'],
  ...['01.ai', 'hugging face', 'smollm', 'vicuna', 'nvidia', 'nemotron', 'ibm', 'databricks'],
  ...['stability ai', 'stablelm', 'olmo', 'ai2', 'allen institute', 'baidu', 'bytedance'],
  ...['doubao', 'tencent', 'hunyuan', 'minimax', 'internlm', 'amazon nova', 'yandexgpt', 'yandex'],
  ...['gigachat', '文心一言', '通义千问', '豆包', '混元', '智谱', '月之暗面', '百度', '阿里'],
  ...['腾讯', '字节跳动', '深度求索', 'яндекс', 'гигачат', 'сбер'],
];

/** Those that are also words or names of people. */
const words = [
  ...['claude', 'gemini', 'bard', 'palm', 'meta', 'phi', 'copilot', 'falcon', 'nous', 'hermes'],
  ...['granite', 'dolly', 'perplexity', 'ernie'],
];

/** Parts of models' names that say nothing about which one it is. */
const common = new Set([
  ...['adapter', 'adapters', 'base', 'best', 'chat', 'checkpoint', 'checkpoints', 'default'],
  ...['distill', 'final', 'first', 'gguf', 'instruct', 'instruction', 'large', 'latest', 'lora'],
  ...['medium', 'merged', 'mini', 'model', 'models', 'original', 'output', 'outputs', 'policy'],
  ...['preview', 'reward', 'round', 'runs', 'second', 'small', 'step', 'test', 'tiny', 'train'],
  ...['trained', 'tuned', 'turbo', 'version', 'worst', 'middle'],
]);

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** No Latin letter or digit: in Chinese, other letters stand beside a name. */
const before = '(?<![\\p{Script=Latin}\\p{N}_])';
const after = '(?![\\p{Script=Latin}\\p{N}_])';

/** A name that is also a word is a program's at the end of a sentence, or with such a word. */
const programWords = [
  ...[
    'model\\w*',
    'mod[eè]l\\w*',
    'as+ist\\w*',
    'ai',
    'ki',
    'ia',
    'chatbot',
    'help\\w*',
    'trained',
  ],
  ...['openai', 'anthropic', 'google'],
].join('|');
const isProgram = [
  '(?=\\s*(?:[.!?:;)"”。！？\\n]|$)',
  `|[^.!?。！？\\n]{0,80}?(?:\\b(?:${programWords})\\b|модел|ассистент|模型|助手|モデル|アシスタント))`,
].join('');

/** What a battle's models are called, in whole and in parts. */
interface Known {
  /** Wherever they stand: long and odd enough to be nothing else. */
  whole: string[];
  /** Where an answer speaks of itself. */
  names: string[];
  words: string[];
}

function knownOf(model: string): Known {
  const [own, ...owners] = model.split('/').filter(Boolean).toReversed();
  if (own === undefined) return { whole: [], names: [], words: [] };
  // Shorter ones are words.
  const whole = [model, own].filter((name) => name.length >= 4 && /[\d/-]/.test(name));
  const parts = own.split(/[-_\s]+/);
  // "SmolLM2-135M" of "SmolLM2-135M-Instruct".
  const size = parts.findIndex((part) => /^\d+(?:\.\d+)?[bm]$/i.test(part));
  if (size > 0) whole.push(parts.slice(0, size + 1).join('-'));
  const families = [...owners, ...parts].flatMap((part) => {
    const family = /^\p{L}{4,}/u.exec(part)?.[0].toLowerCase();
    return family === undefined || common.has(family) ? [] : [{ family, part }];
  });
  // A plain word may well be meant as one.
  const isOdd = ({ part }: { part: string }): boolean => /\d|\p{Ll}\p{Lu}/u.test(part);
  return {
    whole,
    names: families.filter(isOdd).map(({ family }) => family),
    words: families.filter((one) => !isOdd(one)).map(({ family }) => family),
  };
}

/**
 * @param models names of the models of the battle, for example "owner/Name-135M-Instruct"
 * @param prompt what people asked: names in it are no secret
 * @returns what names a model or its maker; null if nothing does
 */
export function leakIn(answer: string, models: readonly string[], prompt: string): string | null {
  const known = models.map(knownOf);
  for (const name of known.flatMap(({ whole }) => whole)) {
    if (contains(prompt, name)) continue;
    // Also as it is spoken: "Name 135M".
    const spoken = escaped(name).replace(/[-_\s]/g, '[-_\\s]');
    const found = new RegExp(`${before}${spoken}${after}`, 'iu').exec(answer);
    if (found !== null) return found[0];
  }
  const odd = [...names, ...known.flatMap((one) => one.names)];
  const plain = [...words, ...known.flatMap((one) => one.words)].filter(
    (name) => !odd.includes(name),
  );
  const version = `(?:[\\s-]?\\d(?:[\\w.-]*\\w)?)?${after}`;
  const oneOf = (list: readonly string[], more: string): string[] => {
    const asked = [...new Set(list)].filter((name) => !contains(prompt, name));
    return asked.length === 0
      ? []
      : [`${before}(?:${asked.map(escaped).join('|')})${version}${more}`];
  };
  const direct = [...oneOf(odd, ''), ...oneOf(plain, isProgram)];
  const made = [...oneOf(odd, ''), ...oneOf(plain, '')];
  if (direct.length === 0) return null;
  for (const phrase of selfPhrases) {
    const found = patternOf(phrase, direct, made).exec(answer);
    if (found !== null) return found[0].trim().replace(/\s+/g, ' ');
  }
  return null;
}

const patternOf = (
  { isDirect, text }: SelfPhrase,
  direct: readonly string[],
  made: readonly string[],
): RegExp =>
  new RegExp(text.replaceAll('NAME', `(?:${(isDirect ? direct : made).join('|')})`), 'iu');

const contains = (text: string, name: string): boolean =>
  text.toLowerCase().includes(name.toLowerCase());
