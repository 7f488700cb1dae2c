// Filters that apply a filter or test to each item.
import { PythonError } from './errors.ts';
import { type Apply, attributeGetter } from './filter-tools.ts';
import { filtersByName, testsByName } from './named-filters.ts';
import { iterate, truthy } from './operators.ts';
import { repr } from './repr.ts';
import { isText, textOf } from './text.ts';
import { type Kwargs, PyIterator, Undefined, type Value } from './values.ts';

const named = (table: ReadonlyMap<string, Apply>, kind: 'filter' | 'test', name: Value): Apply => {
  const apply = isText(name) ? table.get(textOf(name)) : undefined;
  if (apply !== undefined) return apply;
  let message = `No ${kind} named ${textOf(repr(name))}.`;
  if (name instanceof Undefined) {
    message += ` (${name.message}; did you forget to quote the callable name?)`;
  }
  throw new PythonError('TemplateRuntimeError', message);
};

const badArgument = (message: string): PythonError =>
  new PythonError('FilterArgumentError', message);

const prepareMap = (args: readonly Value[], kwargs: Kwargs): ((item: Value) => Value) => {
  if (args.length === 0 && kwargs.has('attribute')) {
    for (const name of kwargs.keys()) {
      if (name !== 'attribute' && name !== 'default') {
        throw badArgument(`Unexpected keyword argument '${name}'`);
      }
    }
    return attributeGetter(kwargs.get('attribute')!, { fallback: kwargs.get('default') ?? null });
  }
  const [name, ...rest] = args;
  if (name === undefined) throw badArgument('map requires a filter argument');
  return (item) => named(filtersByName, 'filter', name)([item, ...rest], kwargs);
};

const map: Apply = ([value, ...args], kwargs) => {
  function* mapped(): Generator<Value> {
    if (!truthy(value!)) return;
    const apply = prepareMap(args, kwargs);
    for (const item of iterate(value!)) yield apply(item);
  }
  return new PyIterator(mapped());
};

const selector =
  (keeps: boolean, byAttribute: boolean): Apply =>
  ([value, ...args], kwargs) => {
    function* selected(): Generator<Value> {
      if (!truthy(value!)) return;
      const [attribute, ...others] = args;
      if (byAttribute && attribute === undefined) {
        throw badArgument('Missing parameter for attribute name');
      }
      const get = byAttribute ? attributeGetter(attribute!) : (item: Value) => item;
      const [name, ...rest] = byAttribute ? others : args;
      const test =
        name === undefined
          ? (item: Value) => item
          : (item: Value) => named(testsByName, 'test', name)([item, ...rest], kwargs);
      for (const item of iterate(value!)) {
        if (truthy(test(get(item))) === keeps) yield item;
      }
    }
    return new PyIterator(selected());
  };

export const itemFilters: Record<string, Apply> = {
  map,
  select: selector(true, false),
  reject: selector(false, false),
  selectattr: selector(true, true),
  rejectattr: selector(false, true),
};
