// Values as written, before an option's type decides what they mean.
import { numberFault, parseDecimal } from './decimal.ts';

/** A text, and whether it is quoted. Flags have no quotes: the shell has removed them. */
export interface WrittenScalar {
  kind: 'scalar';
  text: string;
  /** Quoted in YAML, or a block of text, and so never a word such as `none`. */
  quoted: boolean;
}

export interface WrittenList {
  kind: 'list';
  items: readonly Written[];
}

export interface WrittenMap {
  kind: 'map';
  entries: readonly (readonly [key: string, value: Written])[];
}

export type Written = WrittenScalar | WrittenList | WrittenMap;

/** The text of a flag. An empty flag is an empty text; only YAML can omit a value. */
export const writtenFlag = (text: string): WrittenScalar => ({
  kind: 'scalar',
  text,
  quoted: text === '',
});

/** Words for no value, in any case: those of YAML, and `none`. */
const noValue = /^(?:none|null|~|)$/i;
const yamlNull = /^(?:null|~|)$/i;

/** Whether a plain scalar may mean no value. */
export const isNone = ({ text, quoted }: WrittenScalar): boolean => !quoted && noValue.test(text);

/** Whether YAML has no value here; in YAML, `none` is a text. */
export const isNull = ({ text, quoted }: WrittenScalar): boolean => !quoted && yamlNull.test(text);

/** Describes a value in messages that expected another kind. */
export function describeWritten(written: Written): string {
  if (written.kind !== 'scalar') return written.kind === 'list' ? 'a list' : 'a mapping';
  return isNull(written) ? 'nothing' : JSON.stringify(written.text);
}

/** Words of booleans, in any case. */
export const truths = {
  true: /^(?:true|yes|on)$/i,
  false: /^(?:false|no|off)$/i,
} as const;

/**
 * The value as JSON text. Plain words and numbers mean what they mean for an option: `off` is false
 * (as in PyYAML), and `.5` is 0.5. Numbers keep their form: 20.0 stays a floating-point number.
 * @returns null if a plain scalar is unclear: see {@link unclearPart}
 */
export function jsonText(written: Written): string | null {
  if (written.kind === 'scalar') return scalarJson(written);
  const parts =
    written.kind === 'list'
      ? written.items.map(jsonText)
      : written.entries.map(([key, value]) => {
          const text = jsonText(value);
          return text === null ? null : `${JSON.stringify(key)}: ${text}`;
        });
  if (parts.includes(null)) return null;
  return written.kind === 'list' ? `[${parts.join(', ')}]` : `{${parts.join(', ')}}`;
}

/** The first plain scalar that {@link jsonText} cannot read, within its keys and lists. */
export function unclearPart(written: Written): Written {
  if (written.kind === 'scalar') return written;
  if (written.kind === 'list') {
    const item = written.items.find((one) => jsonText(one) === null);
    return item === undefined ? written : { kind: 'list', items: [unclearPart(item)] };
  }
  const entry = written.entries.find(([, one]) => jsonText(one) === null);
  return entry === undefined
    ? written
    : { kind: 'map', entries: [[entry[0], unclearPart(entry[1])]] };
}

function scalarJson({ text, quoted }: WrittenScalar): string | null {
  if (quoted) return JSON.stringify(text);
  if (yamlNull.test(text)) return 'null';
  if (truths.true.test(text)) return 'true';
  if (truths.false.test(text)) return 'false';
  if (unclearNumber(text) !== null) return null;
  return parseDecimal(text) === null ? JSON.stringify(text) : numberJson(text);
}

/** Why a plain text in a mapping could be a number or not; null if it is clear. */
export const unclearNumber = (text: string): string | null =>
  // YAML 1.1 reads 010 as 8, and YAML 1.2 as 10.
  /^[-+]?0\d/.test(text) ? 'write it without the leading zero' : numberFault(text, 'number');

/** What is wrong with a text for which {@link unclearNumber} has a reason. */
export const unclearValue = (text: string): string =>
  `found ${JSON.stringify(text)}, which may be a number or a text: put a text in quotes; for a number, ${unclearNumber(text)}`;

/** A decimal number as JSON writes it, with the same digits. */
const numberJson = (text: string): string =>
  text
    .replaceAll('_', '')
    .replace(/^\+/, '')
    .replace(/^(-?)\./, '$10.')
    .replace(/\.(?!\d)/, '.0');
