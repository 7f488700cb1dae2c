// Answers that name the model or its maker: who reads them no longer votes blindly.

/** Families and makers. The names in a sentence about something else are no leak. */
const names = [
  ...['openai', 'chatgpt', 'gpt', 'anthropic', 'claude', 'google', 'deepmind', 'gemini', 'gemma'],
  ...['bard', 'palm', 'meta ai', 'meta', 'llama', 'mistral', 'mixtral', 'ministral', 'qwen'],
  ...['tongyi', 'alibaba', 'deepseek', 'moonshot', 'kimi', 'grok', 'xai', 'cohere', 'command r'],
  ...['microsoft', 'phi', 'copilot', 'zhipu', 'chatglm', 'glm', '01.ai', 'hugging face', 'smollm'],
  ...['vicuna', 'falcon', 'nous', 'hermes', 'nvidia', 'nemotron', 'ibm', 'granite', 'databricks'],
  ...['dolly', 'stability ai', 'stablelm', 'olmo', 'ai2', 'allen institute', 'perplexity', 'baidu'],
  ...['ernie', 'bytedance', 'doubao', 'tencent', 'hunyuan', 'minimax', 'internlm', 'amazon nova'],
];

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Words between a phrase and a name in the same sentence. */
const nearby = '[^.!?\\n]{0,80}?';
const made = '(?:based|powered|created|developed|trained|made|built|designed|released)';
const maker = `${made}\\s+(?:and\\s+\\w+\\s+)?(?:on|by|at)\\b${nearby}`;
const program = '(?:model|assistant|ai|bot|chatbot|program|version)';

/** What comes before a name where an answer speaks of itself. */
const about = [
  `\\bi(?:\\s+am|['’]m)\\s+(?:(?:actually|just|really|called|named)\\s+)*(?:${maker})?`,
  `\\bi(?:\\s+am|['’]m)\\s+(?:an?|the|your)\\b[^.!?\\n]{0,40}?\\b${program}\\b${nearby}`,
  `\\b(?:i was|i(?:\\s+have|['’]ve) been)\\s+(?:\\w+\\s+)?${maker}`,
  `\\bmy (?:name|creators?|developers?|makers?) (?:is|are|was|were|at)\\b${nearby}`,
  `\\bas an? (?:\\w+[\\s-]+){0,4}(?:model|assistant|ai)\\b\\s+(?:\\w+\\s+){0,2}${maker}`,
  `\\bcall me\\s+`,
].join('|');

/**
 * @param model the answering model's name, for example "owner/Name-135M-Instruct"
 * @param prompt what people asked: names in it are no secret
 * @returns what names the model or its maker; null if nothing does
 */
export function leakIn(answer: string, model: string, prompt: string): string | null {
  const own = model.split('/').at(-1)!;
  // Shorter ones are words.
  const plain = [model, own].filter((name) => name.length >= 4 && /[\d/-]/.test(name));
  for (const name of plain) {
    const found = new RegExp(`(?<!\\w)${escaped(name)}(?!\\w)`, 'i').exec(answer);
    if (found !== null && !contains(prompt, name)) return found[0];
  }
  const family = /^[a-z]{4,}/i.exec(own)?.[0].toLowerCase();
  const known = family === undefined || names.includes(family) ? names : [...names, family];
  const asked = known.filter((name) => !contains(prompt, name));
  if (asked.length === 0) return null;
  const word = `(?<!\\w)(?:${asked.map(escaped).join('|')})(?:[\\s-]?\\d[\\w.-]*)?(?!\\w)`;
  const found = new RegExp(`(?:${about})${word}`, 'i').exec(answer);
  return found === null ? null : found[0].replace(/\s+/g, ' ');
}

const contains = (text: string, name: string): boolean =>
  text.toLowerCase().includes(name.toLowerCase());
