// Character classes and case mappings of Python's str. JS regular expressions cover most of them;
// the tables add what they lack: numeric types, title case and case folding.

/**
 * The characters of Python's `\s` and str.isspace(), for character classes of regular expressions.
 */
export const whitespace =
  '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

const spaces = new RegExp(`^[${whitespace}]$`);
export const isSpace = (character: string): boolean => spaces.test(character);

const ranges = (text: string): RegExp =>
  new RegExp(`^[${text.replace(/([0-9a-f]+)/g, '\\u{$1}').replaceAll(' ', '')}]$`, 'u');

const digitsBeyondDecimals = ranges(
  'b2-b3 b9 1369-1371 19da 2070 2074-2079 2080-2089 2460-2468 2474-247c 2488-2490 24ea 24f5-24fd 24ff ' +
    '2776-277e 2780-2788 278a-2792 10a40-10a43 10e60-10e68 11052-1105a 1f100-1f10a',
);
const numericIdeographs = ranges(
  '3405 3483 382a 3b4d 4e00 4e03 4e07 4e09 4e5d 4e8c 4e94 4e96 4ebf-4ec0 4edf 4ee8 4f0d 4f70 5104 5146 5169 516b ' +
    '516d 5341 5343-5345 534c 53c1-53c4 56db 58f1 58f9 5e7a 5efe-5eff 5f0c-5f0e 5f10 62fe 634c 67d2 6f06 7396 767e ' +
    '8086 842c 8cae 8cb3 8d30 9621 9646 964c 9678 96f6 f96b f973 f978 f9b2 f9d1 f9d3 f9fd 20001 20064 200e2 20121 ' +
    '2092a 20983 2098c 2099c 20aea 20afd 20b19 22390 22998 23b1b 2626d 2f890',
);

const test =
  (pattern: RegExp) =>
  (character: string): boolean =>
    pattern.test(character);

export const isDecimal = test(/^\p{Nd}$/u);
export const isDigit = (character: string): boolean =>
  isDecimal(character) || digitsBeyondDecimals.test(character);
export const isNumeric = (character: string): boolean =>
  /^\p{N}$/u.test(character) || numericIdeographs.test(character);
export const isAlpha = test(/^\p{L}$/u);
export const isAlnum = (character: string): boolean => isAlpha(character) || isNumeric(character);
export const isLower = test(/^\p{Lowercase}$/u);
export const isUpper = test(/^\p{Uppercase}$/u);
export const isTitle = test(/^\p{Lt}$/u);
export const isCased = test(/^\p{Cased}$/u);
export const isPrintable = (character: string): boolean =>
  character === ' ' || !/^[\p{C}\p{Z}]$/u.test(character);

/** The value of a decimal digit in any script. */
export const decimalValue = (character: string): number => {
  const point = character.codePointAt(0)!;
  if (point < 128) return point - 48;
  // Mathematical digits are five adjacent blocks of ten.
  if (point >= 0x1d7ce && point <= 0x1d7ff) return (point - 0x1d7ce) % 10;
  let zero = point;
  while (isDecimal(String.fromCodePoint(zero - 1))) zero--;
  return point - zero;
};

const digraphs = [0x1c5, 0x1c8, 0x1cb, 0x1f2];
const iotas = new Map([
  [0x1fb2, '\u1fba\u0345'],
  [0x1fb3, '\u1fbc'],
  [0x1fb4, '\u0386\u0345'],
  [0x1fb7, '\u0391\u0342\u0345'],
  [0x1fc2, '\u1fca\u0345'],
  [0x1fc3, '\u1fcc'],
  [0x1fc4, '\u0389\u0345'],
  [0x1fc7, '\u0397\u0342\u0345'],
  [0x1ff2, '\u1ffa\u0345'],
  [0x1ff3, '\u1ffc'],
  [0x1ff4, '\u038f\u0345'],
  [0x1ff7, '\u03a9\u0342\u0345'],
]);

/** Converts one character to title case, which differs from upper case for a few characters. */
export const toTitle = (character: string): string => {
  const point = character.codePointAt(0)!;
  if (point >= 0x1c4) {
    for (const middle of digraphs) {
      if (Math.abs(point - middle) <= 1) return String.fromCodePoint(middle);
    }
    const georgian = point >= 0x10d0 && point <= 0x10ff;
    if (georgian || [0x1fbc, 0x1fcc, 0x1ffc].includes(point)) return character;
    if (point >= 0x1f80 && point <= 0x1faf) return String.fromCodePoint(point | 8);
    const iota = iotas.get(point);
    if (iota !== undefined) return iota;
  }
  if (point === 0x149) return '\u02bcN';
  const upper = character.toUpperCase();
  const first = String.fromCodePoint(upper.codePointAt(0)!);
  return first + upper.slice(first.length).toLowerCase();
};

/** Case-folds one character. */
export const caseFold = (character: string): string => {
  const point = character.codePointAt(0)!;
  if (point === 0x131 || (point >= 0x13a0 && point <= 0x13f5)) return character;
  if (point >= 0x13f8 && point <= 0x13fd) return String.fromCodePoint(point - 8);
  if (point >= 0xab70 && point <= 0xabbf) return String.fromCodePoint(point - 0xab70 + 0x13a0);
  if (point === 0x1e9e) return 'ss';
  return character.toUpperCase().toLowerCase();
};
