// Fields of a tokenizer_config.json that change ids in transformers (5.17) even if tokenizer.json
// disagrees.
import { GENERAL } from './tokenizer-class.ts';
import { TokenizerError } from './tokenizer-error.ts';
import type { Component } from './tokenizer-json.ts';

/**
 * tokenizer.json defines the tokens. If the configuration asks for others, one of the two is wrong.
 *
 * `add_bos_token` and `add_eos_token` are not checked, because transformers ignores them beside a
 * tokenizer.json. Nor are `add_prefix_space` and `do_lower_case` checked for a class that uses a
 * tokenizer.json unchanged.
 *
 * @param className transformers' class of the tokenizer
 * @throws TokenizerError naming the field
 */
export function checkConfigFields(
  config: Record<string, unknown>,
  json: Record<string, unknown>,
  { where, className }: { where: string; className: string },
): void {
  const fail = (message: string): never => {
    throw new TokenizerError(where, message);
  };
  if (config.split_special_tokens === true) {
    fail(
      'split_special_tokens is true: special tokens in a text would be split like any text, and ' +
        'chat templates depend on them. Set it to false',
    );
  }
  if (className === GENERAL) return;
  const components = partsOf(json.normalizer).concat(partsOf(json.pre_tokenizer));
  const compare = (field: string, isDone: boolean, what: string): void => {
    const asked = config[field];
    if (typeof asked !== 'boolean' || asked === isDone) return;
    fail(
      `${field} is ${asked}, but the tokenizer.json beside it ${isDone ? 'does' : 'does not'} ${what}. ` +
        'Make them agree: Keel uses tokenizer.json',
    );
  };
  compare('add_prefix_space', components.some(putsSpace), 'put a space before a text');
  compare('do_lower_case', components.some(lowers), 'convert a text to lower case');
}

const lists = ['normalizers', 'pretokenizers'];

const partsOf = (value: unknown): Component[] => {
  if (typeof value !== 'object' || value === null) return [];
  const component = value as Component;
  const inner = lists.flatMap((name) => (Array.isArray(component[name]) ? component[name] : []));
  return [component, ...inner.flatMap(partsOf)];
};

const putsSpace = (part: Component): boolean =>
  part.type === 'Prepend' ||
  (part.type === 'ByteLevel' && part.add_prefix_space === true) ||
  (part.type === 'Metaspace' && part.prepend_scheme !== 'never' && part.add_prefix_space !== false);

const lowers = (part: Component): boolean =>
  part.type === 'Lowercase' || (part.type === 'BertNormalizer' && part.lowercase === true);
