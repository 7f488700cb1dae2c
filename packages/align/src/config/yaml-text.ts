// Values as YAML text that the parser of options reads back as they were, and that other readers
// take for the same.

/** Words that some reader of YAML takes for no value or a boolean. */
const words = /^(?:none|null|true|false|yes|no|on|off|y|n)$/i;
/** Texts that need no quotes anywhere. A colon may not end one, for a key does. */
const plainText = /^[A-Za-z_./](?:[\w./@+=-]|:(?=[\w./@+=-]))*(?: [\w./@+=-]+)*$/;

/** A JSON text of an object that is to be written as a mapping. */
export class MappingText {
  readonly json: string;

  constructor(json: string) {
    this.json = json;
  }
}

/** Keys and values, a line or a block each. */
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

/** A mapping begins on the line of its dash. */
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

/** Readers of YAML 1.1 take 1e-5 for a text, and 1.0e-5 for a number. */
const numberText = (value: number): string =>
  Object.is(value, -0) ? '-0.0' : String(value).replace(/^(-?\d+)e/, '$1.0e');
