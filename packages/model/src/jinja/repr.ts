// str() and repr() of all values.
import { floatRepr } from './decimal.ts';
import { unsupported, valueError } from './errors.ts';
import { fromJs } from './from-js.ts';
import { spend } from './limits.ts';
import {
  isMarkup,
  isText,
  mapText,
  type Origin,
  type Text,
  TextBuilder,
  textOf,
  unmarked,
} from './text.ts';
import { isPrintable } from './unicode.ts';
import {
  Dict,
  DictView,
  isInt,
  List,
  Namespace,
  PyIterator,
  type PyObject,
  PythonFloat,
  Range,
  Tuple,
  Undefined,
  type Value,
} from './values.ts';

/** Python's limit. */
const longestInt = 4300;

export const intText = (value: number | bigint): string => {
  const text = String(value);
  if (text.replace('-', '').length > longestInt) {
    throw valueError(
      `Exceeds the limit (${longestInt} digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit`,
    );
  }
  return text;
};

/** The text of None, bools and numbers; undefined for other values. */
const scalar = (value: Value): string | undefined => {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (value instanceof PythonFloat) return floatRepr(value.value);
  if (typeof value === 'number') return isInt(value) ? String(value) : floatRepr(value);
  if (typeof value === 'bigint') return intText(value);
  return undefined;
};

/** str(value), which is what `{{ value }}` prints. */
export const str = (value: Value): Text => {
  if (typeof value === 'string') return value;
  if (isText(value)) return unmarked(value);
  if (value instanceof Undefined) return '';
  return repr(value);
};

/** Converts a value to text. Text, including Markup, is returned unchanged. */
export const softStr = (value: Value): Text => (isText(value) ? value : str(value));

export const repr = (value: Value): Text => {
  const builder = new TextBuilder();
  write(builder, value, null);
  return builder.build();
};

/** repr() of a JavaScript value, as a template that prints it writes it. */
export const pythonRepr = (value: unknown): string => textOf(repr(fromJs(value)));

const write = (builder: TextBuilder, value: Value, origin: Origin | null): void => {
  spend(1);
  const text = scalar(value);
  if (text !== undefined) builder.add(text, origin);
  else if (isText(value)) writeText(builder, value, origin);
  else if (value instanceof Undefined) builder.add('Undefined', origin);
  else if (value instanceof List)
    writeItems(builder, '[', value.items, ']', value.origin ?? origin);
  else if (value instanceof Tuple) {
    writeItems(builder, '(', value.items, value.items.length === 1 ? ',)' : ')', origin);
  } else if (value instanceof Dict) writeDict(builder, value, value.origin ?? origin);
  else if (value instanceof DictView) writeView(builder, value, origin);
  else builder.add(objectRepr(value as PyObject), origin);
};

const writeItems = (
  builder: TextBuilder,
  open: string,
  items: readonly Value[],
  close: string,
  origin: Origin | null,
): void => {
  builder.add(open, origin);
  items.forEach((item, index) => {
    if (index > 0) builder.add(', ', origin);
    write(builder, item, origin);
  });
  builder.add(close, origin);
};

const writeDict = (builder: TextBuilder, dict: Dict, origin: Origin | null): void => {
  builder.add('{', origin);
  let first = true;
  for (const [key, value] of dict.entries()) {
    if (!first) builder.add(', ', origin);
    first = false;
    write(builder, key, origin);
    builder.add(': ', origin);
    write(builder, value, origin);
  }
  builder.add('}', origin);
};

const writeView = (builder: TextBuilder, view: DictView, origin: Origin | null): void => {
  writeItems(builder, `${view.typeName}([`, viewItems(view), '])', view.dict.origin ?? origin);
};

export const viewItems = ({ kind, dict }: DictView): Value[] =>
  [...dict.entries()].map(([key, value]) => {
    if (kind === 'keys') return key;
    return kind === 'values' ? value : new Tuple([key, value]);
  });

const objectRepr = (value: PyObject): string => {
  if (value instanceof Range) {
    const { start, stop, step } = value;
    return step === 1 ? `range(${start}, ${stop})` : `range(${start}, ${stop}, ${step})`;
  }
  if (value instanceof Namespace) return `<Namespace ${textOf(repr(value.attributes))}>`;
  const own = (value as { repr?: () => string }).repr?.();
  if (own !== undefined) return own;
  const hint = value instanceof PyIterator ? '. Add the filter `list`' : '';
  throw unsupported(
    `a ${value.typeName} cannot be printed: its text would contain a memory address${hint}`,
  );
};

const escapes: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

const writeText = (builder: TextBuilder, text: Text, origin: Origin | null): void => {
  const plain = textOf(text);
  const quote = plain.includes("'") && !plain.includes('"') ? '"' : "'";
  if (isMarkup(text)) builder.add('Markup(', origin);
  builder.add(quote, origin ?? edge(text));
  builder.add(
    mapText(unmarked(text), (part) => escapeText(part, quote)),
    origin,
  );
  builder.add(quote, origin ?? edge(text));
  if (isMarkup(text)) builder.add(')', origin);
};

/** The origin of text that has only one, so that its quotes can share it. */
export const edge = (text: Text): Origin | null => {
  if (typeof text === 'string') return null;
  const [run] = text.runs;
  const { length } = text.text;
  return run !== undefined && run.start === 0 && run.end === length ? run.origin : null;
};

const escapeText = (text: string, quote: string): string => {
  if (/^[\x20-\x7e]*$/.test(text) && !text.includes('\\') && !text.includes(quote)) return text;
  let escaped = '';
  for (const character of text) {
    if (character === quote) escaped += `\\${quote}`;
    else
      escaped += escapes[character] ?? (isPrintable(character) ? character : codeEscape(character));
  }
  return escaped;
};

/** `\xe9`, `\u20ac` or `\U0001f600`. */
export const codeEscape = (character: string): string => {
  const point = character.codePointAt(0)!;
  const hex = point.toString(16);
  if (point < 0x100) return `\\x${hex.padStart(2, '0')}`;
  return point < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
};

/** ascii(value). */
export const ascii = (value: Value): Text =>
  mapText(repr(value), (text) => {
    let plain = '';
    for (const character of text) plain += character > '\x7e' ? codeEscape(character) : character;
    return plain;
  });
