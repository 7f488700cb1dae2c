// Writes values as YAML text that the parser of option values, and other YAML readers, read back
// unchanged.

/** Words that some YAML reader takes for null or a boolean. */
const words = /^(?:none|null|true|false|yes|no|on|off|y|n)$/i;
/** Texts that never need quotes. A colon at the end would make a key. */
const plainText = /^[A-Za-z_./](?:[\w./@+=-]|:(?=[\w./@+=-]))*(?: [\w./@+=-]+)*$/;

/** JSON text of an object, to be written as a mapping. */
export class MappingText {
  readonly json: string;

  constructor(json: string) {
    this.json = json;
  }
}

/** Keys and values, one line or block each. */
export function yamlText(values: Readonly<Record<string, unknown>>, indent = ''): string {
  return Object.entries(values)
    .map(([key, value]) => `${indent}${key}:${valueText(value, indent)}\n`)
    .join('');
}

function valueText(value: unknown, indent: string): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return ' []';
    return value.map((one) => `\n${indent}  - ${itemText(one, `${indent}    `)}`).join('');
  }
  if (isMapping(value)) return `\n${yamlText(value, `${indent}  `).slice(0, -1)}`;
  return ` ${scalarText(value)}`;
}

/** A mapping starts on the line of its dash. */
const itemText = (value: unknown, indent: string): string =>
  isMapping(value) ? yamlText(value, indent).slice(indent.length, -1) : scalarText(value);

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !(value instanceof MappingText);

function scalarText(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (value instanceof MappingText) return value.json;
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'string') {
    return plainText.test(value) && !words.test(value) ? value : JSON.stringify(value);
  }
  return String(value);
}

/** To YAML 1.1 readers, 1e-5 is a text and 1.0e-5 a number. */
const numberText = (value: number): string =>
  Object.is(value, -0) ? '-0.0' : String(value).replace(/^(-?\d+)e/, '$1.0e');
