/** Folders of the golden models, one per family or variant. */
export const goldenFamilies = [
  'gemma2',
  'gemma3',
  'gpt2',
  'llama',
  'llama3-rope',
  'mistral',
  'phi3',
  'qwen2',
  'qwen3',
  'smollm3',
] as const;
