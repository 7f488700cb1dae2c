// value.name and value[key] by the rules of Jinja2's immutable sandbox.
import { methodOf } from './methods.ts';
import { repr } from './repr.ts';
import { itemAt } from './subscript.ts';
import { isText, textOf } from './text.ts';
import {
  Dict,
  DictView,
  isInt,
  List,
  Namespace,
  objectTypeName,
  PyObject,
  Range,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from './values.ts';

const mutating: Record<string, ReadonlySet<string>> = {
  dict: new Set(['clear', 'pop', 'popitem', 'setdefault', 'update']),
  list: new Set(['append', 'clear', 'pop', 'reverse', 'insert', 'sort', 'extend', 'remove']),
};

// Attributes of every Python object.
const common = new Set(
  (
    '__class__ __delattr__ __dir__ __doc__ __eq__ __format__ __ge__ __getattribute__ __getstate__ __gt__ __hash__ ' +
    '__init__ __init_subclass__ __le__ __lt__ __ne__ __new__ __reduce__ __reduce_ex__ __repr__ __setattr__ ' +
    '__sizeof__ __str__ __subclasshook__ __len__ __iter__ __getitem__ __contains__ __call__'
  ).split(' '),
);

const missing = (value: Value, name: Value): Undefined =>
  new Undefined(() => {
    const type = objectTypeName(value);
    if (isText(name)) return `'${type}' has no attribute '${textOf(name)}'`;
    return `${type} has no element ${textOf(repr(name))}`;
  });

const unsafe = (value: Value, name: string): Undefined =>
  new Undefined(
    () => `access to attribute '${name}' of '${typeName(value)}' object is unsafe.`,
    'SecurityError',
  );

/** The attribute, Undefined if it is unsafe, or undefined if it does not exist. */
export const attributeOf = (value: Value, name: string): Value | undefined => {
  if (value instanceof Undefined) throw value.error();
  if (value instanceof Namespace) {
    const own = value.attribute(name);
    return own !== undefined && name.startsWith('_') ? unsafe(value, name) : own;
  }
  if (name.startsWith('_')) return common.has(name) ? unsafe(value, name) : undefined;
  if (mutating[typeName(value)]?.has(name)) return unsafe(value, name);
  const own = value instanceof PyObject ? value.attribute(name) : undefined;
  return own === undefined ? methodOf(value, name, lookup) : own;
};

const isHashable = (value: Value): boolean =>
  value instanceof Tuple
    ? value.items.every(isHashable)
    : !(value instanceof List || value instanceof Dict || value instanceof DictView);

/** value[key], or undefined if it does not exist. */
const itemOf = (value: Value, key: Value): Value | undefined => {
  if (value instanceof Undefined) throw value.error();
  if (value instanceof Dict) {
    return isHashable(key) ? value.get(key) : undefined;
  }
  const isSequence =
    isText(value) || value instanceof List || value instanceof Tuple || value instanceof Range;
  if (isSequence) return isInt(key) ? itemAt(value, Number(key)) : undefined;
  const own = (value as { item?: (key: Value) => Value | undefined } | null)?.item;
  return own?.call(value, key);
};

/**
 * `value.name`: an attribute first, then an item. @throws PythonError if the value is undefined
 */
export const getAttribute = (value: Value, name: string): Value => {
  const attribute = attributeOf(value, name);
  if (attribute !== undefined) return attribute;
  const item = itemOf(value, name);
  return item === undefined ? missing(value, name) : item;
};

/**
 * `value[key]`: an item first, then an attribute. @throws PythonError if the value is undefined
 */
export const getItem = (value: Value, key: Value): Value => {
  const item = itemOf(value, key);
  if (item !== undefined) return item;
  const attribute = isText(key) ? attributeOf(value, textOf(key)) : undefined;
  return attribute === undefined ? missing(value, key) : attribute;
};

const lookup = { getAttribute, getItem };
