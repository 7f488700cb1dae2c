import { Tokenizer } from 'tokenizers';

/**
 * A tokenizer of the Rust library with only these components, by their names in a tokenizer.json.
 */
export const libraryWith = (components: Record<string, unknown>): Tokenizer =>
  Tokenizer.fromString(
    JSON.stringify({
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: null,
      post_processor: null,
      decoder: null,
      model: { type: 'WordLevel', vocab: { x: 0 }, unk_token: 'x' },
      ...components,
    }),
  );
