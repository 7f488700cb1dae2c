// Texts that Jinja writes of lists and numbers are Python's: ['it''s', 1, True].

/** A text that is not a Python literal. */
export class LiteralError extends Error {
  override readonly name = 'LiteralError';
}

/**
 * The value of a Python literal: lists, tuples, texts, numbers, True, False and None.
 * @throws LiteralError
 */
export function parsePythonLiteral(text: string): unknown {
  let at = 0;
  const fail = (): never => {
    throw new LiteralError(`not a Python literal at character ${at}: ${text.slice(at, at + 20)}`);
  };
  const skip = (): void => {
    while (/\s/.test(text[at] ?? '')) at += 1;
  };
  const list = (close: string): unknown[] => {
    const items: unknown[] = [];
    at += 1;
    for (;;) {
      skip();
      if (text[at] === close) break;
      items.push(value());
      skip();
      if (text[at] === ',') at += 1;
      else if (text[at] !== close) fail();
    }
    at += 1;
    return items;
  };
  const string = (quote: string): string => {
    let found = '';
    at += 1;
    while (text[at] !== quote) {
      if (at >= text.length) fail();
      if (text[at] !== '\\') {
        found += text[at];
        at += 1;
        continue;
      }
      const pattern = /\\(?:x([\da-f]{2})|u([\da-f]{4})|U([\da-f]{8})|([\s\S]))/iy;
      pattern.lastIndex = at;
      const [whole, ...parts] = pattern.exec(text) ?? fail();
      const [two, four, eight, letter] = parts;
      const code = two ?? four ?? eight;
      found +=
        code === undefined
          ? (escapes[letter!] ?? `\\${letter}`)
          : String.fromCodePoint(Number.parseInt(code, 16));
      at += whole!.length;
    }
    at += 1;
    return found;
  };
  const value = (): unknown => {
    skip();
    const first = text[at] ?? '';
    if (first === '[') return list(']');
    if (first === '(') return list(')');
    if (first === "'" || first === '"') return string(first);
    const word = /[\w.+-]+/y;
    word.lastIndex = at;
    const [found = ''] = word.exec(text) ?? [];
    if (Object.hasOwn(names, found)) {
      at += found.length;
      return names[found];
    }
    if (!/^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(found)) fail();
    at += found.length;
    return Number(found);
  };
  const whole = value();
  skip();
  if (at < text.length) fail();
  return whole;
}

const names: Readonly<Record<string, unknown>> = { True: true, False: false, None: null };

const escapes: Readonly<Record<string, string>> = {
  ...{ n: '\n', t: '\t', r: '\r', '0': '\0', a: '\x07', b: '\b', f: '\f', v: '\v' },
  ...{ '\\': '\\', "'": "'", '"': '"', '\n': '' },
};
