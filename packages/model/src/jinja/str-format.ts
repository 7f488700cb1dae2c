// str.format() and str.format_map(), by the rules of string.Formatter in Jinja2's sandbox.
import { positional } from './arguments.ts';
import { PythonError, valueError } from './errors.ts';
import { formatValue } from './format-spec.ts';
import { escapeHtml } from './html.ts';
import type { Methods } from './method-types.ts';
import { ascii, repr, str } from './repr.ts';
import { isMarkup, markup, sliceText, type Text, TextBuilder, textOf } from './text.ts';
import { Dict, type Value } from './values.ts';

type Named = (name: string) => Value | undefined;

/** Jinja2's access to parts of a value, as its sandbox allows it. */
export interface Lookup {
  getItem(value: Value, key: Value): Value;
  getAttribute(value: Value, name: string): Value;
}

interface Field {
  /** Offsets of the literal text before it. */
  start: number;
  end: number;
  /** null at the end of the text. */
  name: string | null;
  conversion: string | null;
  spec: string;
}

/** @throws PythonError if the format is broken or an argument is missing */
const formatText = (format: Text, args: readonly Value[], named: Named, lookup: Lookup): Text => {
  const text = new Formatter(args, named, isMarkup(format), lookup).format(format, 2);
  return isMarkup(format) ? markup(text) : text;
};

/** The methods `format` and `format_map` of text. */
export const formatMethods = (lookup: Lookup): Methods<Text> => ({
  format: (self, args, kwargs) => formatText(self, args, (name) => kwargs.get(name), lookup),
  format_map: (self, args, kwargs) => {
    positional('format_map', args, kwargs, 1);
    return formatText(self, [], namedBy(args[0]!), lookup);
  },
});

/** Keyword arguments from a mapping. */
const namedBy =
  (mapping: Value): Named =>
  (name) =>
    mapping instanceof Dict ? mapping.get(name) : undefined;

class Formatter {
  readonly #args: readonly Value[];
  readonly #named: Named;
  readonly #escaping: boolean;
  readonly #lookup: Lookup;
  /** The next number of `{}`, or null once fields are numbered explicitly. */
  #automatic: number | null = 0;

  constructor(args: readonly Value[], named: Named, escaping: boolean, lookup: Lookup) {
    this.#args = args;
    this.#named = named;
    this.#escaping = escaping;
    this.#lookup = lookup;
  }

  format(format: Text, depth: number): Text {
    if (depth < 0) throw valueError('Max string recursion exceeded');
    const builder = new TextBuilder();
    for (const { start, end, name, conversion, spec } of fields(textOf(format))) {
      builder.add(sliceText(format, start, end));
      if (name === null) continue;
      const value = convert(this.#lookUp(this.#numbered(name)), conversion);
      const text = formatValue(value, textOf(this.format(spec, depth - 1)));
      builder.add(this.#escaping ? escapeHtml(isMarkup(value) ? markup(text) : text) : text);
    }
    return builder.build();
  }

  #numbered(name: string): string {
    if (name === '') {
      if (this.#automatic === null) {
        throw valueError(
          'cannot switch from manual field specification to automatic field numbering',
        );
      }
      return String(this.#automatic++);
    }
    if (/^\d+$/.test(name)) {
      if (this.#automatic) {
        throw valueError(
          'cannot switch from manual field specification to automatic field numbering',
        );
      }
      this.#automatic = null;
    }
    return name;
  }

  #lookUp(name: string): Value {
    const first = /^[^.[]*/.exec(name)![0];
    let value = this.#first(first);
    let rest = name.slice(first.length);
    while (rest !== '') {
      const match = /^(?:\.([^.[]*)|\[([^\]]*)\])/.exec(rest);
      if (match === null) {
        const message = rest.startsWith('[')
          ? "Missing ']' in format string"
          : "Only '.' or '[' may follow ']' in format field specifier";
        throw valueError(message);
      }
      const [whole, attribute, index] = match;
      if ((attribute ?? index) === '') throw valueError('Empty attribute in format string');
      value =
        attribute === undefined
          ? this.#lookup.getItem(value, /^\d+$/.test(index!) ? Number(index) : index!)
          : this.#lookup.getAttribute(value, attribute);
      rest = rest.slice(whole.length);
    }
    return value;
  }

  #first(name: string): Value {
    if (/^\d+$/.test(name)) {
      const value = this.#args[Number(name)];
      if (value !== undefined) return value;
      throw new PythonError(
        'IndexError',
        `Replacement index ${name} out of range for positional args tuple`,
      );
    }
    const value = this.#named(name);
    if (value !== undefined) return value;
    throw new PythonError('KeyError', `'${name}'`);
  }
}

const convert = (value: Value, conversion: string | null): Value => {
  if (conversion === null) return value;
  if (conversion === 's') return str(value);
  if (conversion === 'r') return repr(value);
  if (conversion === 'a') return ascii(value);
  throw valueError(`Unknown conversion specifier ${conversion}`);
};

/** Splits a format string into literal parts and replacement fields. */
function* fields(text: string): Generator<Field> {
  const literal = (start: number, end: number): Field => ({
    start,
    end,
    name: null,
    conversion: null,
    spec: '',
  });
  let at = 0;
  while (at < text.length) {
    const offset = text.slice(at).search(/[{}]/);
    if (offset < 0) {
      yield literal(at, text.length);
      return;
    }
    const brace = at + offset;
    if (text[brace + 1] === text[brace]) {
      yield literal(at, brace + 1);
      at = brace + 2;
      continue;
    }
    if (text[brace] === '}') throw valueError("Single '}' encountered in format string");
    if (brace + 1 === text.length) throw valueError("Single '{' encountered in format string");
    const end = closing(text, brace + 1);
    yield { ...literal(at, brace), ...parseField(text.slice(brace + 1, end)) };
    at = end + 1;
  }
}

const closing = (text: string, from: number): number => {
  let depth = 1;
  let inIndex = false;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === '[') inIndex = true;
    else if (character === ']') inIndex = false;
    else if (inIndex) continue;
    else if (character === '{') depth++;
    else if (character === '}' && --depth === 0) return at;
  }
  throw valueError("expected '}' before end of string");
};

const parseField = (field: string): Pick<Field, 'name' | 'conversion' | 'spec'> => {
  // A colon or exclamation mark inside [ ] is part of the name.
  const [name] = /^(?:\[[^\]]*\]|[^:![])*/.exec(field)!;
  if (name.includes('{')) throw valueError("unexpected '{' in field name");
  const rest = field.slice(name.length);
  if (rest === '') return { name, conversion: null, spec: '' };
  if (rest.startsWith(':')) return { name, conversion: null, spec: rest.slice(1) };
  if (rest.startsWith('[')) throw valueError("expected '}' before end of string");
  const [, conversion, after, spec = ''] = /^!([\s\S])?(:([\s\S]*)|[\s\S]+)?$/u.exec(rest)!;
  if (conversion === undefined) {
    throw valueError('end of string while looking for conversion specifier');
  }
  if (after !== undefined && !after.startsWith(':')) {
    throw valueError("expected ':' after conversion specifier");
  }
  return { name, conversion, spec };
};
