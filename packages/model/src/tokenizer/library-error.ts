import { libraryWith } from './library-tokenizer.ts';
import { TokenizerError } from './tokenizer-error.ts';
import type { Component, TokenizerJson } from './tokenizer-json.ts';

const componentNames = [
  'version',
  'truncation',
  'padding',
  'added_tokens',
  'normalizer',
  'pre_tokenizer',
  'post_processor',
  'decoder',
] as const;

/** Names of the lists in components of type Sequence. */
const lists = ['normalizers', 'pretokenizers', 'processors', 'decoders'];

/**
 * The reason why the Rust library rejects a tokenizer.json, with the faulty component. The library
 * itself names only a column.
 */
export const loadError = (json: TokenizerJson, where: string, cause: Error): TokenizerError => {
  for (const name of componentNames) {
    const found = json[name] === undefined ? null : faultOf(name, json[name], name);
    if (found) {
      return new TokenizerError(where, `${found.path} cannot be used: ${found.reason}`, { cause });
    }
  }
  const unknown = Object.keys(json).find((name) => name !== 'model' && !isKnown(name));
  if (unknown !== undefined) {
    const name = JSON.stringify(unknown);
    return new TokenizerError(
      where,
      `has the field ${name}, which the tokenizers library does not know`,
    );
  }
  const reason = modelFault(json.model) ?? `cannot be used: ${withoutColumn(cause.message)}`;
  return new TokenizerError(where, `its model ${reason}`, { cause });
};

const modelTypes = ['BPE', 'Unigram', 'WordPiece', 'WordLevel'];

/** Faults for which the library has no message. */
const modelFault = ({ type, vocab, merges }: TokenizerJson['model']): string | null => {
  if (type !== undefined && !modelTypes.includes(type)) {
    return `is ${type}; expected ${modelTypes.join(', ')}`;
  }
  if (typeof vocab !== 'object' || vocab === null) return 'has no vocabulary (model.vocab)';
  if (type !== 'BPE') return null;
  if (!Array.isArray(merges)) return 'has no merges (model.merges)';
  const index = merges.findIndex((merge: unknown) => {
    const pair = typeof merge === 'string' ? merge.split(' ') : merge;
    return (
      !Array.isArray(pair) || pair.length !== 2 || !pair.every((part) => Object.hasOwn(vocab, part))
    );
  });
  return index < 0
    ? null
    : `cannot be used: merge ${index} (${JSON.stringify(merges[index])}) does not join two tokens of the vocabulary`;
};

const isKnown = (name: string): boolean => (componentNames as readonly string[]).includes(name);

const withoutColumn = (message: string): string =>
  message.replace(/( at line \d+ column \d+)+$/, '');

interface Fault {
  path: string;
  reason: string;
}

const faultOf = (name: string, value: unknown, path: string): Fault | null => {
  let reason: string;
  try {
    libraryWith({ [name]: value });
    return null;
  } catch (error) {
    reason = withoutColumn((error as Error).message);
  }
  const { type } = (value ?? {}) as Partial<Component>;
  const list = lists.find((key) => Array.isArray((value as Component | null)?.[key]));
  if (type === 'Sequence' && list) {
    const parts = (value as Component)[list] as unknown[];
    for (const [index, part] of parts.entries()) {
      const found = faultOf(name, part, `${path}.${list}[${index}]`);
      if (found) return found;
    }
  }
  const isUnknown = reason.startsWith('data did not match any variant');
  return {
    path: type === undefined ? path : `${path} (${type})`,
    reason: isUnknown ? 'the tokenizers library knows no such component with these fields' : reason,
  };
};
