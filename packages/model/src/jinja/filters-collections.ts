// Filters on collections.

import { binary } from './binary.ts';
import { PythonError, typeError } from './errors.ts';
import { type Apply, attributeGetter, attributesGetter, filter } from './filter-tools.ts';
import { join } from './filters-text.ts';
import { attributeOf, getAttribute } from './lookup.ts';
import { asIndex } from './numbers.ts';
import { characters, compare, equals, iterate, sorted, truthy, tryIterate } from './operators.ts';
import { str } from './repr.ts';
import { undefinedBecause } from './runtime.ts';
import { concat, isText, textOf } from './text.ts';
import { like } from './text-methods.ts';
import {
  Dict,
  DictView,
  GroupTuple,
  hashed,
  isInt,
  List,
  objectTypeName,
  PyIterator,
  Range,
  Tuple,
  Undefined,
  type Value,
} from './values.ts';

const firstOf = (values: Iterable<Value>): Value | undefined => {
  const next = values[Symbol.iterator]().next();
  return next.done ? undefined : next.value;
};

/** reversed(value), or undefined if the value cannot be reversed. */
const reversed = (value: Value): { values: Value[]; typeName: string } | undefined => {
  const kinds: [boolean, string][] = [
    [value instanceof List, 'list_reverseiterator'],
    [value instanceof Dict, 'dict_reversekeyiterator'],
    [value instanceof DictView, 'dict_reverseiterator'],
    [value instanceof Range, 'range_iterator'],
    [value instanceof Tuple || isText(value) || value instanceof Undefined, 'reversed'],
  ];
  const name = kinds.find(([matches]) => matches)?.[1];
  return name === undefined ? undefined : { values: [...iterate(value)].reverse(), typeName: name };
};

const last = filter('do_last', [['seq']], (value) => {
  const backwards = reversed(value!);
  if (backwards === undefined) throw typeError(`'${objectTypeName(value!)}' is not reversible`);
  const item = backwards.values[0];
  return item === undefined ? undefinedBecause('No last item, sequence was empty.') : item;
});

const reverse = filter('do_reverse', [['value']], (value) => {
  if (isText(value!)) return like(value, concat([...characters(value)].reverse()));
  const backwards = reversed(value!);
  if (backwards !== undefined) return new PyIterator(backwards.values, backwards.typeName);
  const values = tryIterate(value!);
  if (values === undefined) {
    throw new PythonError('FilterArgumentError', 'argument must be iterable');
  }
  return new List([...values].reverse());
});

const joinFilter = filter(
  'do_join',
  [['value'], ['d', ''], ['attribute', null]],
  (value, by, attribute) => {
    const get = attribute === null ? (item: Value) => item : attributeGetter(attribute!);
    return join(
      str(by!),
      [...iterate(value!)].map((item) => str(get(item))),
    );
  },
);

const sort = filter(
  'do_sort',
  [['value'], ['reverse', false], ['case_sensitive', false], ['attribute', null]],
  (value, backwards, caseSensitive, attribute) => {
    const get = attributesGetter(attribute!, truthy(caseSensitive!));
    return new List(sorted(iterate(value!), (item) => new List(get(item)), flag(backwards!)));
  },
);

/** A boolean argument that Python requires to be an int. */
const flag = (value: Value): boolean => {
  if (isInt(value)) return truthy(value);
  asIndex(value);
  return false;
};

const dictsort = filter(
  'do_dictsort',
  [['value'], ['case_sensitive', false], ['by', 'key'], ['reverse', false]],
  (value, caseSensitive, by, backwards) => {
    const position = isText(by!) ? ['key', 'value'].indexOf(textOf(by)) : -1;
    if (position < 0) {
      throw new PythonError('FilterArgumentError', 'You can only sort by either "key" or "value"');
    }
    if (value instanceof Undefined) throw value.error();
    if (!(value instanceof Dict)) {
      throw new PythonError(
        'AttributeError',
        `'${objectTypeName(value!)}' has no attribute 'items'`,
      );
    }
    const get = attributeGetter(position, { caseSensitive: truthy(caseSensitive!) });
    const pairs = [...value.entries()].map((entry) => new Tuple(entry));
    return new List(sorted(pairs, get, flag(backwards!)));
  },
);

const unique = filter(
  'do_unique',
  [['value'], ['case_sensitive', false], ['attribute', null]],
  (value, caseSensitive, attribute) => {
    const get = attributeGetter(attribute!, { caseSensitive: truthy(caseSensitive!) });
    function* distinct(): Generator<Value> {
      const seen = new Set<unknown>();
      for (const item of iterate(value!)) {
        const key = hashed(get(item));
        if (!seen.has(key)) yield item;
        seen.add(key);
      }
    }
    return new PyIterator(distinct());
  },
);

const extreme = (name: string, operator: '<' | '>'): Apply =>
  filter(
    name,
    [['value'], ['case_sensitive', false], ['attribute', null]],
    (value, caseSensitive, attribute) => {
      const get = attributeGetter(attribute!, { caseSensitive: truthy(caseSensitive!) });
      let best: { item: Value; key: Value } | undefined;
      for (const item of iterate(value!)) {
        const key = get(item);
        if (best === undefined || compare(operator, key, best.key)) best = { item, key };
      }
      return best === undefined
        ? undefinedBecause('No aggregated item, sequence was empty.')
        : best.item;
    },
  );

const slice = filter(
  'do_slice',
  [['value'], ['slices'], ['fill_with', null]],
  (value, slices, fill) => {
    function* parts(): Generator<Value> {
      const all = [...iterate(value!)];
      const each = Number(binary('//', all.length, slices!));
      const withExtra = Number(binary('%', all.length, slices!));
      let offset = 0;
      for (let number = 0; number < asIndex(slices!); number++) {
        const start = offset + number * each;
        if (number < withExtra) offset++;
        const part = all.slice(start, offset + (number + 1) * each);
        if (fill !== null && number >= withExtra) part.push(fill!);
        yield new List(part);
      }
    }
    return new PyIterator(parts());
  },
);

const batch = filter(
  'do_batch',
  [['value'], ['linecount'], ['fill_with', null]],
  (value, count, fill) => {
    function* parts(): Generator<Value> {
      let part: Value[] = [];
      for (const item of iterate(value!)) {
        if (equals(part.length, count!)) {
          yield new List(part);
          part = [];
        }
        part.push(item);
      }
      if (part.length === 0) return;
      if (fill !== null && compare('<', part.length, count!)) {
        const missing = asIndex(count!) - part.length;
        for (let index = 0; index < missing; index++) part.push(fill!);
      }
      yield new List(part);
    }
    return new PyIterator(parts());
  },
);

const groupby = filter(
  'do_groupby',
  [['value'], ['attribute'], ['default', null], ['case_sensitive', false]],
  (value, attribute, fallback, caseSensitive) => {
    const options = { fallback: fallback!, caseSensitive: truthy(caseSensitive!) };
    const get = attributeGetter(attribute!, options);
    const groups: { key: Value; items: Value[] }[] = [];
    for (const item of sorted(iterate(value!), get)) {
      const key = get(item);
      const group = groups.at(-1);
      if (group !== undefined && equals(group.key, key)) group.items.push(item);
      else groups.push({ key, items: [item] });
    }
    const shown = attributeGetter(attribute!, { fallback: fallback! });
    return new List(
      groups.map(
        ({ key, items }) =>
          new GroupTuple([options.caseSensitive ? key : shown(items[0]!), new List(items)]),
      ),
    );
  },
);

const items = filter('do_items', [['value']], (value) => {
  function* pairs(): Generator<Value> {
    if (value instanceof Undefined) return;
    if (!(value instanceof Dict)) throw typeError('Can only get item pairs from a mapping.');
    for (const entry of value.entries()) yield new Tuple(entry);
  }
  return new PyIterator(pairs());
});

const attr = filter('do_attr', [['obj'], ['name']], (value, name) => {
  if (!isText(name!)) throw typeError('attribute name must be string');
  const attribute = textOf(name);
  if (attributeOf(value!, attribute) !== undefined) return getAttribute(value!, attribute);
  return new Undefined(() => `'${objectTypeName(value!)}' has no attribute '${attribute}'`);
});

export const collectionFilters: Record<string, Apply> = {
  first: filter('do_first', [['seq']], (value) => {
    const item = firstOf(iterate(value!));
    return item === undefined ? undefinedBecause('No first item, sequence was empty.') : item;
  }),
  last,
  reverse,
  join: joinFilter,
  sort,
  dictsort,
  unique,
  min: extreme('do_min', '<'),
  max: extreme('do_max', '>'),
  slice,
  batch,
  groupby,
  items,
  attr,
  list: filter('do_list', [['value']], (value) => new List([...iterate(value!)])),
  default: filter(
    'do_default',
    [['value'], ['default_value', ''], ['boolean', false]],
    (value, fallback, boolean) => orDefault(value!, fallback!, boolean!),
  ),
  d: filter(
    'do_default',
    [['value'], ['default_value', ''], ['boolean', false]],
    (value, fallback, boolean) => orDefault(value!, fallback!, boolean!),
  ),
};

const orDefault = (value: Value, fallback: Value, boolean: Value): Value =>
  value instanceof Undefined || (truthy(boolean) && !truthy(value)) ? fallback : value;
