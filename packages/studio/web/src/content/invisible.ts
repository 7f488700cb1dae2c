// Characters that nobody sees, though they change the order of what is seen, or hide words in it.

/** A part of a text: as it is, or characters that are not shown. */
export type Piece = string | { label: string; title: string };

/** Names of those that turn up in texts; any other one has its code point only. */
const names: Readonly<Record<string, string>> = {
  '\u0000': 'null',
  '\u0007': 'bell',
  '\u0008': 'backspace',
  '\u000b': 'line tabulation',
  '\u000c': 'form feed',
  '\u001b': 'escape',
  '\u007f': 'delete',
  '\u0085': 'next line',
  '\u00ad': 'soft hyphen',
  '\u034f': 'combining grapheme joiner',
  '\u061c': 'Arabic letter mark',
  '\u115f': 'Hangul choseong filler',
  '\u1160': 'Hangul jungseong filler',
  '\u180e': 'Mongolian vowel separator',
  '\u200b': 'zero width space',
  '\u200c': 'zero width non-joiner',
  '\u200d': 'zero width joiner',
  '\u200e': 'left-to-right mark',
  '\u200f': 'right-to-left mark',
  '\u2028': 'line separator',
  '\u2029': 'paragraph separator',
  '\u202a': 'left-to-right embedding',
  '\u202b': 'right-to-left embedding',
  '\u202c': 'pop directional formatting',
  '\u202d': 'left-to-right override',
  '\u202e': 'right-to-left override',
  '\u2060': 'word joiner',
  '\u2061': 'function application',
  '\u2062': 'invisible times',
  '\u2063': 'invisible separator',
  '\u2064': 'invisible plus',
  '\u2066': 'left-to-right isolate',
  '\u2067': 'right-to-left isolate',
  '\u2068': 'first strong isolate',
  '\u2069': 'pop directional isolate',
  '\u3164': 'Hangul filler',
  '\ufeff': 'zero width no-break space',
  '\uffa0': 'halfwidth Hangul filler',
};

/** Where an invisible character belongs to what is seen before it. */
const rightful = [
  // In the emoji of a family, and in words of Persian and of the scripts of India.
  String.raw`(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}\u{FE0F}])\u{200D}(?=\p{Extended_Pictographic})`,
  String.raw`(?<=[[\p{L}\p{M}]--[\p{sc=Latin}\p{sc=Greek}\p{sc=Cyrillic}\p{sc=Han}\p{sc=Hangul}]])[\u{200C}\u{200D}]`,
  // After what can be an emoji, a Chinese character or a sign of mathematics: its variant.
  String.raw`(?<=\p{Emoji})[\u{FE0E}\u{FE0F}]`,
  String.raw`(?<=[\p{sc=Han}\p{Sm}])[\u{FE00}-\u{FE0F}\u{E0100}-\u{E01EF}]`,
  String.raw`(?<=\p{sc=Mongolian})[\u{180B}-\u{180F}]`,
  // In the flags of England, Scotland and Wales.
  String.raw`(?<=\u{1F3F4}[\u{E0020}-\u{E007E}]{0,6})[\u{E0020}-\u{E007F}]`,
];

const invisible = new RegExp(
  `(?:${rightful.join('|')})|(${String.raw`[[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u{FFF9}-\u{FFFB}]--[\t\n\r]]`})`,
  'gv',
);

/** A run of more has one mark. */
const RUN = 6;

/** A text with the characters that nobody sees as parts of their own. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let [shown, run]: [number, string[]] = [0, []];
  const mark = () => {
    pieces.push(...marksOf(run));
    run = [];
  };
  for (const { index, 0: found, 1: hidden } of text.matchAll(invisible)) {
    if (hidden === undefined) continue;
    if (index > shown) {
      mark();
      pieces.push(text.slice(shown, index));
    }
    run.push(found);
    shown = index + found.length;
  }
  mark();
  if (shown < text.length) pieces.push(text.slice(shown));
  return pieces;
}

function marksOf(run: readonly string[]): Piece[] {
  if (run.length <= RUN) return run.map((one) => ({ label: labelOf(one), title: titleOf(one) }));
  const first = run.slice(0, RUN).map(labelOf).join(' ');
  return [{ label: `${run.length} invisible characters`, title: `${first} …` }];
}

const labelOf = (one: string): string =>
  `U+${one.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;

const titleOf = (one: string): string => names[one] ?? 'invisible character';

/** The same as one text, for titles and names of elements. */
export const visibleText = (text: string): string =>
  piecesOf(text)
    .map((piece) => (typeof piece === 'string' ? piece : `[${piece.label}]`))
    .join('');
