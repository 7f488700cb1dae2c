// Values as written, before an option's type decides what they mean.

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

/**
 * The value that YAML 1.2 reads, as JSON text. Numbers keep their digits: 20.0 stays a
 * floating-point number.
 * @returns null if JSON has no such number
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

function scalarJson({ text, quoted }: WrittenScalar): string | null {
  if (quoted) return JSON.stringify(text);
  if (yamlNull.test(text)) return 'null';
  if (/^(?:true|false)$/i.test(text)) return text.toLowerCase();
  if (/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[-+]?\d+)?$/i.test(text)) return text;
  if (/^[-+]?\.?(?:nan|inf)$/i.test(text)) return null;
  return JSON.stringify(text);
}
