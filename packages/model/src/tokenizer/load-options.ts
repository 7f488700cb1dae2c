import type { TemplateSettings } from './template-settings.ts';

/** How to load a tokenizer. */
export interface LoadTokenizerOptions {
  /**
   * `source` replaces the model's own templates. `adapters` are folders of adapters that are
   * applied to the model: an adapter that was trained with other tokens is refused.
   */
  template?: TemplateSettings & { source?: string; adapters?: readonly string[] };
}

/**
 * The templates of a tokenizer by name: the model's own, unless another default replaces them all.
 */
export const templatesWith = (
  own: Record<string, string>,
  source: string | undefined,
): Record<string, string> =>
  source === undefined || source === own.default ? own : { default: source };
