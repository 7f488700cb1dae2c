// Values as they are written, before an option's type says what they mean.

/**
 * A text and whether quotes mark it as one. Flags come without quotes: the shell has removed them.
 */
export interface WrittenScalar {
  kind: 'scalar';
  text: string;
  /** Quoted in YAML, or a block of text: never a word such as `none`. */
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

/** The text of a flag. An empty one is an empty text; only YAML leaves a value out. */
export const writtenFlag = (text: string): WrittenScalar => ({
  kind: 'scalar',
  text,
  quoted: text === '',
});

/** Words for no value, in any case: YAML's own, and `none`. */
const noValue = /^(?:none|null|~|)$/i;
const yamlNull = /^(?:null|~|)$/i;

/** Whether a plain scalar may stand for no value. */
export const isNone = ({ text, quoted }: WrittenScalar): boolean => !quoted && noValue.test(text);

/** Whether YAML has no value here; `none` is a text to it. */
export const isNull = ({ text, quoted }: WrittenScalar): boolean => !quoted && yamlNull.test(text);

/** What a value is, for messages that expected another kind. */
export function describeWritten(written: Written): string {
  if (written.kind !== 'scalar') return written.kind === 'list' ? 'a list' : 'a mapping';
  return isNull(written) ? 'nothing' : JSON.stringify(written.text);
}

/**
 * A value as YAML 1.2 reads it, as JSON text. Numbers keep their digits: 20.0 stays a
 * floating-point number.
 * @returns null where JSON has no such number
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
