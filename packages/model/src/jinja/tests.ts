// Jinja2's tests.
import { binary } from './binary.ts';
import { type Apply, filter } from './filter-tools.ts';
import { filtersByName, testsByName } from './named-filters.ts';
import { isNumber } from './numbers.ts';
import { compare, contains, equals, identical, lengthOf, tryIterate } from './operators.ts';
import { str } from './repr.ts';
import { isMarkup, isText, type Text, textOf } from './text.ts';
import { textMethods } from './text-methods.ts';
import {
  Dict,
  DictView,
  hashed,
  isFloat,
  isInt,
  noKwargs,
  PyCallable,
  PyIterator,
  Undefined,
  type Value,
} from './values.ts';

const one = (name: string, body: (value: Value) => Value): Apply =>
  filter(`test_${name}`, [['value']], (value) => body(value!));

const two = (name: string, second: string, body: (a: Value, b: Value) => Value): Apply =>
  filter(name, [['value'], [second]], (a, b) => body(a!, b!));

const remainder = (value: Value, by: Value, rest: number): boolean =>
  equals(binary('%', value, by), rest);

const caseOf = (name: 'islower' | 'isupper', value: Value): Value =>
  textMethods[name]!(str(value) as Text, [], noKwargs);

const known = (table: ReadonlyMap<string, Apply>, name: Value): boolean => {
  hashed(name);
  return isText(name) && table.has(textOf(name));
};

const isSequence = (value: Value): boolean =>
  lengthOf(value) !== undefined && !(value instanceof DictView) && !(value instanceof PyCallable);

const eq = two('eq', 'other', equals);
const ne = two('ne', 'other', (a, b) => !equals(a, b));
const gt = two('gt', 'other', (a, b) => compare('>', a, b));
const ge = two('ge', 'other', (a, b) => compare('>=', a, b));
const lt = two('lt', 'other', (a, b) => compare('<', a, b));
const le = two('le', 'other', (a, b) => compare('<=', a, b));

export const tests: ReadonlyMap<string, Apply> = new Map<string, Apply>([
  ['odd', one('odd', (value) => remainder(value, 2, 1))],
  ['even', one('even', (value) => remainder(value, 2, 0))],
  ['divisibleby', two('test_divisibleby', 'num', (value, num) => remainder(value, num, 0))],
  ['defined', one('defined', (value) => !(value instanceof Undefined))],
  ['undefined', one('undefined', (value) => value instanceof Undefined)],
  ['filter', one('filter', (value) => known(filtersByName, value))],
  ['test', one('test', (value) => known(testsByName, value))],
  ['none', one('none', (value) => value === null)],
  ['boolean', one('boolean', (value) => typeof value === 'boolean')],
  ['false', one('false', (value) => value === false)],
  ['true', one('true', (value) => value === true)],
  ['integer', one('integer', (value) => isInt(value) && typeof value !== 'boolean')],
  ['float', one('float', (value) => isFloat(value))],
  ['lower', one('lower', (value) => caseOf('islower', value))],
  ['upper', one('upper', (value) => caseOf('isupper', value))],
  ['string', one('string', (value) => isText(value))],
  ['mapping', one('mapping', (value) => value instanceof Dict)],
  ['number', one('number', (value) => isNumber(value))],
  ['sequence', one('sequence', isSequence)],
  [
    'iterable',
    one('iterable', (value) => value instanceof PyIterator || tryIterate(value) !== undefined),
  ],
  [
    'callable',
    one('callable', (value) => value instanceof PyCallable || value instanceof Undefined),
  ],
  ['sameas', two('test_sameas', 'other', identical)],
  ['escaped', one('escaped', (value) => isMarkup(value))],
  ['in', two('test_in', 'seq', (value, seq) => contains(seq, value))],
  ...['==', 'eq', 'equalto'].map((name) => [name, eq] as const),
  ...['!=', 'ne'].map((name) => [name, ne] as const),
  ...['>', 'gt', 'greaterthan'].map((name) => [name, gt] as const),
  ...['>=', 'ge'].map((name) => [name, ge] as const),
  ...['<', 'lt', 'lessthan'].map((name) => [name, lt] as const),
  ...['<=', 'le'].map((name) => [name, le] as const),
]);

for (const [name, test] of tests) testsByName.set(name, test);
