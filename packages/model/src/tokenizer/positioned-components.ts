// The components of a tokenizer for a text that follows other text.
import type { PositionedComponents } from './encoding-protocol.ts';
import type { Component, TokenizerJson } from './tokenizer-json.ts';

/**
 * Normalizer and pre-tokenizer without the steps that apply only at the start of a text: adding
 * something before it (`Prepend`, `Metaspace` with a prepend scheme, `ByteLevel` with
 * `add_prefix_space`) or removing its leading spaces (`Strip`). A component without such steps is
 * omitted.
 */
export function positionedComponents(json: TokenizerJson): PositionedComponents {
  const { normalizer, pre_tokenizer: preTokenizer } = json;
  return {
    unprefixedNormalizer: changed(normalizer, unprefixedNormalizer),
    unprefixedPreTokenizer: changed(preTokenizer, (one) => preTokenizerWithout(one, allPrefixes)),
    laterPreTokenizer: changed(preTokenizer, (one) => preTokenizerWithout(one, firstPrefix)),
  };
}

function changed(
  component: Component | null | undefined,
  change: (component: Component) => Component,
): string | undefined {
  if (!component) return undefined;
  const own = JSON.stringify(component);
  const other = JSON.stringify(change(component));
  return other === own ? undefined : other;
}

function unprefixedNormalizer(component: Component): Component {
  switch (component.type) {
    case 'Sequence': {
      const normalizers = (component.normalizers ?? []) as Component[];
      return { ...component, normalizers: normalizers.map(unprefixedNormalizer) };
    }
    case 'Prepend':
      return { type: 'Sequence', normalizers: [] };
    case 'Strip':
      return component.strip_left === true ? { ...component, strip_left: false } : component;
    default:
      return component;
  }
}

const firstPrefix = { byteLevel: false, schemes: ['first'] };
const allPrefixes = { byteLevel: true, schemes: ['first', 'always', undefined] };

function preTokenizerWithout(component: Component, prefixes: typeof allPrefixes): Component {
  switch (component.type) {
    case 'Sequence': {
      const pretokenizers = (component.pretokenizers ?? []) as Component[];
      return {
        ...component,
        pretokenizers: pretokenizers.map((part) => preTokenizerWithout(part, prefixes)),
      };
    }
    case 'ByteLevel':
      return prefixes.byteLevel && component.add_prefix_space === true
        ? { ...component, add_prefix_space: false }
        : component;
    case 'Metaspace': {
      if (!prefixes.schemes.includes(component.prepend_scheme as string | undefined)) {
        return component;
      }
      // The scheme's old name would contradict it.
      const { add_prefix_space: _, ...rest } = component;
      return { ...rest, prepend_scheme: 'never' };
    }
    default:
      return component;
  }
}
