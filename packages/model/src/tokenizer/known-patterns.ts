// Regular expressions in a tokenizer.json. Those of the model families are known to need few
// attempts on any text.
import { familyPatterns } from './pre-tokenizers.ts';
import type { TokenizerJson } from './tokenizer-json.ts';

const known: ReadonlySet<string> = new Set([
  ...familyPatterns,
  // XLM-R, T5 and Gemma's predecessors, BLOOM, DeepSeek.
  ' {2,}',
  '\\s+',
  '\\p{N}{1,3}',
  '[\\r\\n]',
  '\\s?\\p{L}+',
  '\\s?\\p{P}+',
  ' ?[^(\\s|[.,!?…。，、।۔،])]+',
  '[一-龥ࠀ-一가-퟿]+',
  '[一-龥぀-ゟ゠-ヿ]+',
]);

/** The regular expressions of normalizer and pre-tokenizer that Keel does not know, each once. */
export function unknownPatterns({
  normalizer,
  pre_tokenizer: preTokenizer,
}: TokenizerJson): string[] {
  const found = new Set<string>();
  const look = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(look);
    if (typeof value !== 'object' || value === null) return;
    for (const [name, part] of Object.entries(value)) {
      if (name === 'Regex' && typeof part === 'string' && !known.has(part)) found.add(part);
      else look(part);
    }
  };
  look([normalizer, preTokenizer]);
  return [...found];
}
