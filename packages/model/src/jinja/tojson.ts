// Python's json.dumps() with the options of transformers' tojson.
import { floatRepr } from './decimal.ts';
import { typeError, valueError } from './errors.ts';
import { repeated, spend } from './limits.ts';
import { asIndex, floatValue, plainInt } from './numbers.ts';
import { iterate, sorted } from './operators.ts';
import { edge, intText } from './repr.ts';
import { isText, mapText, type Origin, type Text, TextBuilder, textOf } from './text.ts';
import { Dict, isFloat, isInt, List, Tuple, typeName, type Value } from './values.ts';

export interface JsonOptions {
  ensureAscii: boolean;
  indent: Value;
  separators: Value;
  sortKeys: boolean;
}

/** @throws PythonError if a value is not JSON serialisable */
export const toJson = (value: Value, options: JsonOptions): Text => {
  // Python ignores the indent if the value is a str.
  const writer = new Writer(isText(value) ? { ...options, indent: null } : options);
  writer.write(value, '\n', null);
  return writer.builder.build();
};

const short: Record<string, string> = {
  '\\': '\\\\',
  '"': '\\"',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

const escapeUnit = (unit: string): string =>
  short[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

class Writer {
  readonly builder = new TextBuilder();
  readonly #indented: boolean;
  readonly #indent: string;
  readonly #item: Text;
  readonly #colon: Text;
  readonly #sortKeys: boolean;
  readonly #escaped: RegExp;

  constructor({ ensureAscii, indent, separators, sortKeys }: JsonOptions) {
    this.#sortKeys = sortKeys;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what JSON escapes
    this.#escaped = ensureAscii ? /[\\"]|[^ -~]/g : /[\\"\x00-\x1f]/g;
    this.#indented = indent !== null;
    this.#indent = indent === null ? '' : indention(indent);
    [this.#item, this.#colon] =
      separators === null
        ? [this.#indented ? ',' : ', ', ': ']
        : (pair(separators) as [Text, Text]);
  }

  write(value: Value, line: string, origin: Origin | null): void {
    spend(1);
    if (isText(value)) this.#text(value, origin);
    else if (value instanceof Dict) this.#dict(value, line, value.origin ?? origin);
    else if (value instanceof List || value instanceof Tuple) {
      this.#list(value.items, line, value instanceof List ? (value.origin ?? origin) : origin);
    } else this.builder.add(scalar(value), origin);
  }

  #text(value: Text, origin: Origin | null): void {
    const quotes = origin ?? edge(value);
    this.builder.add('"', quotes);
    this.builder.add(
      mapText(value, (text) => text.replace(this.#escaped, escapeUnit)),
      origin,
    );
    this.builder.add('"', quotes);
  }

  #list(items: readonly Value[], line: string, origin: Origin | null): void {
    this.#container('[', ']', items, line, origin, (item, inner) =>
      this.write(item, inner, origin),
    );
  }

  #dict(dict: Dict, line: string, origin: Origin | null): void {
    const pairs = [...dict.entries()].map(([key, value]) => new Tuple([key, value]));
    const ordered = this.#sortKeys ? sorted(pairs, (entry) => entry) : pairs;
    this.#container('{', '}', ordered, line, origin, (entry, inner) => {
      const [key, value] = (entry as Tuple).items;
      this.#text(keyText(key!), origin);
      this.builder.add(this.#colon, origin);
      this.write(value!, inner, origin);
    });
  }

  #container(
    open: string,
    close: string,
    items: readonly Value[],
    line: string,
    origin: Origin | null,
    write: (item: Value, line: string) => void,
  ): void {
    const { builder } = this;
    if (items.length === 0) {
      builder.add(open + close, origin);
      return;
    }
    const inner = this.#indented ? line + this.#indent : '';
    builder.add(open + inner, origin);
    items.forEach((item, index) => {
      if (index > 0) {
        builder.add(this.#item, origin);
        builder.add(inner, origin);
      }
      write(item, inner);
    });
    builder.add((this.#indented ? line : '') + close, origin);
  }
}

/** The indent of one level: text, or a number of spaces. */
const indention = (indent: Value): string => (isText(indent) ? textOf(indent) : spaces(indent));

const widest = 10_000;

const spaces = (indent: Value): string => {
  if (!isInt(indent)) {
    throw typeError(`can't multiply sequence by non-int of type '${typeName(indent)}'`);
  }
  const count = asIndex(indent);
  if (count > widest) throw valueError(`an indent of ${count} spaces is too large`);
  return repeated(' ', Math.max(0, count));
};

const pair = (separators: Value): Text[] => {
  const items = [...iterate(separators)];
  if (items.length !== 2)
    throw valueError('separators must be a pair: (item separator, key separator)');
  if (!items.every(isText)) throw typeError('the separators of tojson must be str');
  return items as Text[];
};

const scalar = (value: Value): string => {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return String(value);
  if (isInt(value)) return intText(plainInt(value));
  if (isFloat(value)) return jsonFloat(floatValue(value));
  throw typeError(`Object of type ${typeName(value)} is not JSON serializable`);
};

const jsonFloat = (value: number): string => {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return floatRepr(value);
  return value > 0 ? 'Infinity' : '-Infinity';
};

const keyText = (key: Value): Text => {
  if (isText(key)) return key;
  if (key === null || isInt(key) || isFloat(key)) return scalar(key);
  throw typeError(`keys must be str, int, float, bool or None, not ${typeName(key)}`);
};
