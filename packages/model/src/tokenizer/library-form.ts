/**
 * A tokenizer.json rewritten so that @huggingface/tokenizers 0.2.0 (JavaScript) splits text as the Rust library does.
 * What is rewritten here: JavaScript's \s and \d are not the Unicode classes that Rust's ByteLevel and Digits use, and
 * the JavaScript Metaspace never splits. What the JavaScript library would do otherwise in silence is an error.
 */
import { gpt2Pattern } from './pre-tokenizers.ts';
import { TokenizerError } from './tokenizer-error.ts';
import type { Component, TokenizerJson } from './tokenizer-json.ts';

export const libraryForm = (json: TokenizerJson, where: string): TokenizerJson => ({
  ...json,
  // The library demands all four, null or not.
  normalizer: json.normalizer ?? null,
  pre_tokenizer: json.pre_tokenizer ? rewrite(json.pre_tokenizer, json, where) : null,
  post_processor: json.post_processor ?? null,
  decoder: json.decoder ?? null,
});

const isolate = (pattern: string): Component => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior: 'Isolated',
  invert: false,
});

const sequence = (...pretokenizers: Component[]): Component => ({
  type: 'Sequence',
  pretokenizers,
});

const rewrite = (node: Component, json: TokenizerJson, where: string): Component => {
  switch (node.type) {
    case 'Sequence':
      return sequence(
        ...(node.pretokenizers as Component[]).map((part) => rewrite(part, json, where)),
      );
    case 'ByteLevel':
      return node.use_regex === false || node.add_prefix_space === true
        ? node
        : sequence(isolate(gpt2Pattern), { ...node, use_regex: false });
    case 'Digits':
      return isolate(node.individual_digits === true ? '\\p{N}' : '\\p{N}+');
    case 'Metaspace': {
      const mark = (node.replacement as string | undefined) ?? '▁';
      return node.split === false
        ? node
        : sequence(node, isolate(`${mark}[^${mark}]*|[^${mark}]+`));
    }
    case 'Split': {
      const behavior = node.behavior as string;
      if (behavior === 'Isolated' || behavior === 'Removed' || splitsNothing(node, json))
        return node;
      throw new TokenizerError(
        where,
        `its pre-tokenizer splits as ${behavior}, which is not supported`,
      );
    }
    default:
      return node;
  }
};

/** Gemma splits at spaces that its normalizer has replaced before. */
const splitsNothing = (node: Component, json: TokenizerJson): boolean => {
  const at = (node.pattern as { String?: string }).String;
  const steps = (json.normalizer?.normalizers as Component[] | undefined) ?? [json.normalizer];
  return steps.some(
    (step) =>
      step?.type === 'Replace' &&
      at !== undefined &&
      (step.pattern as { String?: string }).String === at &&
      !(step.content as string).includes(at),
  );
};

interface LibraryDecoder {
  text_decoder?: InstanceType<typeof TextDecoder>;
  decoders?: LibraryDecoder[];
}

/** The library's ByteFallback decoder swallows U+FEFF where it begins a run of bytes; Rust's keeps it. */
export const keepByteOrderMarks = (decoder: unknown): void => {
  const { text_decoder: inner, decoders = [] } = (decoder ?? {}) as LibraryDecoder;
  if (inner) {
    (decoder as LibraryDecoder).text_decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  }
  for (const part of decoders) keepByteOrderMarks(part);
};
