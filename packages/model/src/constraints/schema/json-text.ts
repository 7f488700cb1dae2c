// How JSON is written: the texts that schemas are compiled to. White space is bounded, since a
// model could otherwise write it without end.
import {
  type Characters,
  characters,
  charactersOf,
  difference,
  everyCharacter,
  intersection,
} from '../language/characters.ts';
import {
  choice,
  type Expression,
  literal,
  oneOf,
  optional,
  repeat,
  sequence,
} from '../language/expression.ts';

const many = Number.POSITIVE_INFINITY;
const digit = oneOf(characters([[0x30, 0x39]]));
const hex = oneOf(charactersOf('0123456789abcdefABCDEF'));
const controls = characters([[0, 0x1f]]);
const shortEscapes = new Map(
  Object.entries({ '"': '"', '\\': '\\', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't' }),
);
const unescaped = difference(everyCharacter, [
  ...controls,
  ...charactersOf('"'),
  ...charactersOf('\\'),
]);

/** Between two parts: nothing, a space, or a new line with its indentation. */
export const space: Expression = optional(
  choice(
    oneOf(charactersOf(' ')),
    sequence(literal('\n'), repeat(oneOf(charactersOf(' \t')), 0, 32)),
  ),
);
export const colon: Expression = sequence(literal(':'), optional(oneOf(charactersOf(' '))));
export const comma: Expression = sequence(literal(','), space);

/** A character of a string, in the one way in which it is usually written. */
export function writtenCharacter(set: Characters): Expression {
  const options = [oneOf(intersection(set, unescaped))];
  for (const [one, letter] of shortEscapes) {
    if (intersection(set, charactersOf(one)).length > 0) options.push(literal(`\\${letter}`));
  }
  const others = difference(
    intersection(set, controls),
    charactersOf([...shortEscapes.keys()].join('')),
  );
  for (const [low, high] of others) {
    for (let code = low; code <= high; code++) {
      options.push(literal(`\\u${code.toString(16).padStart(4, '0')}`));
    }
  }
  return choice(...options.filter((one) => one.type !== 'choice'));
}

/** Any character of a string, in any way in which it can be written. */
const anyWrittenCharacter = choice(
  oneOf(unescaped),
  sequence(
    literal('\\'),
    choice(
      oneOf(charactersOf('"\\/bfnrt')),
      sequence(
        literal('u'),
        choice(
          sequence(oneOf(charactersOf('0123456789abcABCefEF')), repeat(hex, 3, 3)),
          sequence(oneOf(charactersOf('dD')), oneOf(charactersOf('01234567')), repeat(hex, 2, 2)),
          sequence(
            oneOf(charactersOf('dD')),
            oneOf(charactersOf('89abAB')),
            repeat(hex, 2, 2),
            literal('\\u'),
            oneOf(charactersOf('dD')),
            oneOf(charactersOf('cdefCDEF')),
            repeat(hex, 2, 2),
          ),
        ),
      ),
    ),
  ),
);

const quoted = (content: Expression): Expression => sequence(literal('"'), content, literal('"'));

/** As a rule, so that what may follow within it is found only once. */
const shared = (name: string, body: Expression): Expression => ({
  type: 'rule',
  rule: { name, body },
});

const strings = new Map<string, Expression>();
const MOST_STRINGS = 256;

/** A string of some number of characters. The same numbers give the same rule. */
export function anyString(least = 0, most = many): Expression {
  const key = `${least},${most}`;
  let found = strings.get(key);
  if (found === undefined) {
    found = shared('a string', quoted(repeat(anyWrittenCharacter, least, most)));
    if (strings.size >= MOST_STRINGS) strings.clear();
    strings.set(key, found);
  }
  return found;
}

/** A string whose content matches an expression over characters. */
export const stringOf = (content: Expression): Expression => quoted(written(content));

function written(one: Expression): Expression {
  switch (one.type) {
    case 'characters':
      return writtenCharacter(one.set);
    case 'sequence':
      return sequence(...one.parts.map(written));
    case 'choice':
      return choice(...one.options.map(written));
    case 'repeat':
      return repeat(written(one.body), one.least, one.most);
    case 'graph': {
      const { edges, accepting } = one.graph;
      const mapped = edges.map((leaving) =>
        leaving.map(({ label, to }) => ({ label: written(label), to })),
      );
      return { type: 'graph', graph: { edges: mapped, accepting } };
    }
    case 'rule':
      throw new TypeError('the content of a string has no rules');
  }
}

const wholeNumber = sequence(
  optional(literal('-')),
  choice(literal('0'), sequence(oneOf(characters([[0x31, 0x39]])), repeat(digit, 0, 17))),
);
/** Whole numbers that fit 64 bits. */
export const anyInteger: Expression = shared('a whole number', wholeNumber);
/** Numbers in the range of float64. */
export const anyNumber: Expression = shared(
  'a number',
  sequence(
    wholeNumber,
    optional(sequence(literal('.'), repeat(digit, 1, 18))),
    optional(
      sequence(oneOf(charactersOf('eE')), optional(oneOf(charactersOf('+-'))), repeat(digit, 1, 2)),
    ),
  ),
);

/** A list between brackets: nothing, or parts that bring their own commas. */
export const bracketed = (open: string, content: Expression, close: string): Expression =>
  sequence(literal(open), space, content, literal(close));

/** `item, item, …` with this many items, and the space after them. */
export function listOf(item: Expression, least: number, most: number): Expression {
  if (most === 0) return sequence();
  const some = sequence(
    item,
    repeat(sequence(comma, item), Math.max(0, least - 1), most - 1),
    space,
  );
  return least === 0 ? optional(some) : some;
}

/** A value as it is: for `enum` and `const`. */
export function valueText(value: unknown): Expression {
  if (Array.isArray(value)) {
    const items = value.map(valueText);
    return bracketed('[', joined(items), ']');
  }
  if (typeof value !== 'object' || value === null) return literal(JSON.stringify(value));
  const pairs = Object.entries(value).map(([name, own]) =>
    sequence(literal(JSON.stringify(name)), colon, valueText(own)),
  );
  return bracketed('{', joined(pairs), '}');
}

const joined = (parts: readonly Expression[]): Expression =>
  parts.length === 0
    ? sequence()
    : sequence(...parts.flatMap((part, at) => (at === 0 ? [part] : [comma, part])), space);

/** Any JSON value. */
export const anyValue: Expression = (() => {
  const rule = { name: 'any JSON value', body: choice() };
  const value: Expression = { type: 'rule', rule };
  const pair = sequence(anyString(), colon, value);
  rule.body = choice(
    anyString(),
    anyNumber,
    literal('true'),
    literal('false'),
    literal('null'),
    bracketed('[', listOf(value, 0, many), ']'),
    bracketed('{', listOf(pair, 0, many), '}'),
  );
  return value;
})();

export const anyObject: Expression = bracketed(
  '{',
  listOf(sequence(anyString(), colon, anyValue), 0, many),
  '}',
);
export const anyArray: Expression = bracketed('[', listOf(anyValue, 0, many), ']');
