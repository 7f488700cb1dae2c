// The only parser of option values: the option's type alone decides what a flag's text or a YAML
// value means.
import { parseDecimal } from './decimal.ts';
import type { OptionDescriptor } from './options.ts';
import {
  isNone,
  isNull,
  jsonText,
  truths,
  unclearPart,
  type Written,
  type WrittenScalar,
} from './written.ts';

/** The parts of an option that decide how its values are read. */
export type ValueType = Pick<
  OptionDescriptor,
  'type' | 'list' | 'nullable' | 'commas' | 'choices' | 'words' | 'literal'
>;

/**
 * Reads an option's value. A value that is not of the option's type stays unchanged (text, array or
 * object), so that the schema reports what it expected.
 */
export function optionValue(option: ValueType, written: Written): unknown {
  if (option.type === 'map') return mapValue(option, written);
  if (!option.list)
    return written.kind === 'scalar' ? scalarValue(option, written) : plain(written);
  const item: ValueType = { ...option, list: false, nullable: false };
  const read = (one: Written): unknown =>
    one.kind === 'scalar' ? scalarValue(item, one) : plain(one);
  if (written.kind === 'list') return written.items.map(read);
  if (written.kind === 'map') return plain(written);
  if (standsForNone(option, written) || isNull(written)) return null;
  if (option.commas === false) return [read(written)];
  return written.text
    .split(',')
    .map((part) => scalarValue(item, { kind: 'scalar', text: part.trim(), quoted: true }));
}

/** Whether a scalar means that the option has no value. */
function standsForNone(option: ValueType, written: WrittenScalar): boolean {
  const { nullable, type, choices, words, literal } = option;
  const { text, quoted } = written;
  if (!nullable) return false;
  if (literal) return isNull(written);
  if (choices?.includes(text) || words.includes(text)) return false;
  // Quotes mark free text; a number or a choice cannot be the text "none", even in quotes.
  const free = type === 'string' && choices === null;
  return isNone(written) || (quoted && !free && /^(?:none|null|~)$/i.test(text));
}

function scalarValue(option: ValueType, written: WrittenScalar): unknown {
  const { text } = written;
  if (standsForNone(option, written)) return null;
  if (isNull(written)) {
    // For an option with the word none, YAML's null means that word.
    return option.choices?.includes('none') || option.words.includes('none') ? 'none' : null;
  }
  switch (option.type) {
    case 'boolean':
      if (truths.true.test(text)) return true;
      return truths.false.test(text) ? false : text;
    case 'number':
    case 'integer': {
      const value = option.words.includes(text) ? null : parseDecimal(text);
      if (value === null) return text;
      return option.type === 'integer' && Number.isInteger(value) && !Number.isSafeInteger(value)
        ? text
        : value;
    }
    default:
      return text;
  }
}

/**
 * A mapping as JSON text; text that is already JSON stays unchanged. An unclear number is returned
 * with its key, for the message about it.
 */
function mapValue(option: ValueType, written: Written): unknown {
  if (written.kind !== 'scalar') return jsonText(written) ?? plain(unclearPart(written));
  return standsForNone(option, written) || isNull(written) ? null : written.text;
}

/** A value as plain data, for messages about it. */
function plain(written: Written): unknown {
  if (written.kind === 'scalar') return isNull(written) ? null : written.text;
  if (written.kind === 'list') return written.items.map(plain);
  return Object.fromEntries(written.entries.map(([key, value]) => [key, plain(value)]));
}
