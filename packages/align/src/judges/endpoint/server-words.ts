/** A server's own words about what went wrong. */
export interface ServerWords {
  message: string;
  /** The parameter that it names, if it names one. */
  param: string | null;
  /** Its name for the error, such as `insufficient_quota`. */
  code: string | null;
}

const textIn = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value : null;

/** Reads the body of an error: OpenAI's form, those of other servers, or any text. */
export function readWords(body: string): ServerWords {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return { message: shortText(body, 300), param: null, code: null };
  }
  const whole = (value ?? {}) as Record<string, unknown>;
  const isObject = typeof whole.error === 'object' && whole.error !== null;
  const inner = (isObject ? whole.error : whole) as Record<string, unknown>;
  const message =
    textIn(inner.message) ?? textIn(whole.error) ?? textIn(inner.detail) ?? JSON.stringify(value);
  return {
    message: shortText(message, 300),
    param: textIn(inner.param),
    code: textIn(inner.code) ?? textIn(inner.type),
  };
}

export const isHtml = (body: string): boolean => /^\s*<(?:!doctype|html|head|body)\b/i.test(body);

/** The beginning of a text on one line; of a web page, what it shows. */
export function shortText(text: string, most: number): string {
  const shown = isHtml(text)
    ? text
        .slice(0, 100_000)
        .replace(/<(style|script|head)\b[\s\S]*?<\/\1>/gi, ' ')
        .replace(/<[^<>]*>/g, ' ')
    : text.slice(0, 10 * most);
  const line = shown.replace(/\s+/g, ' ').trim();
  return line.length > most ? `${line.slice(0, most - 3)}...` : line;
}
