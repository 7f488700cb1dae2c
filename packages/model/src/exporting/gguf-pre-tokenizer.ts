// The name under which llama.cpp knows a byte-level tokenizer's pre-tokenizer. A wrong name would
// split texts differently without any error, so only an exact match counts.
import { type PreTokenizerFamily, preTokenizerFamilies } from '../tokenizer/pre-tokenizers.ts';
import type { Component, TokenizerJson } from '../tokenizer/tokenizer-json.ts';
import { ExportError } from './export-error.ts';

/**
 * The value of `tokenizer.ggml.pre` for a tokenizer.json.
 * @throws ExportError if no family has this pre-tokenizer
 */
export function preTokenizerName(json: TokenizerJson): string {
  const own = signature({
    preTokenizer: json.pre_tokenizer ?? { type: 'none' },
    ignoreMerges: json.model.ignore_merges === true,
    ...(json.normalizer ? { normalizer: json.normalizer } : {}),
  });
  const names = [...preTokenizerFamilies].filter(([name]) => name !== 'default');
  const found = names.find(([, family]) => signature(family) === own);
  if (found !== undefined) return found[0];
  throw new ExportError(
    `the tokenizer splits texts in a way that has no name in GGUF that Keel knows; it knows ${names.map(([name]) => name).join(', ')}. Use --to safetensors`,
  );
}

/** What decides how a text is split; equal for tokenizers that do the same. */
function signature({ preTokenizer, normalizer, ignoreMerges = false }: PreTokenizerFamily): string {
  return JSON.stringify([
    steps(preTokenizer).map(essence),
    normalizer === undefined ? [] : steps(normalizer).map(essence),
    ignoreMerges,
  ]);
}

function steps(component: Component): Component[] {
  const inner = component.pretokenizers ?? component.normalizers;
  return Array.isArray(inner) ? inner.flatMap((one: Component) => steps(one)) : [component];
}

/** A step without fields that do not affect where texts are split. */
function essence(step: Component): unknown {
  if (step.type === 'ByteLevel') {
    return [step.type, step.add_prefix_space ?? true, step.use_regex ?? true];
  }
  const fields = Object.entries(step).filter(([name]) => name !== 'type');
  const usual: Record<string, unknown> = { invert: false, individual_digits: false };
  const own = fields.filter(([name, value]) => usual[name] !== value);
  return [step.type, own.sort(([a], [b]) => (a < b ? -1 : 1))];
}
