// A text as its letters read, whatever characters they are written with.

/** Letters of other alphabets that look like Latin ones. */
const lookalikes: Readonly<Record<string, string>> = {
  ...{ а: 'a', е: 'e', о: 'o', р: 'p', с: 'c', х: 'x', у: 'y', і: 'i', ѕ: 's', ј: 'j', ԁ: 'd' },
  ...{ һ: 'h', ӏ: 'l', ɡ: 'g', α: 'a', ο: 'o', ε: 'e', ι: 'i', ν: 'v', ρ: 'p', κ: 'k', τ: 't' },
};

/** A text as its letters read: without invisible characters, emphasis and lookalikes. */
export function plainLetters(text: string): string {
  const plain = text
    .normalize('NFKC')
    .replace(/[\u{E0000}-\u{E007F}]/gu, tagLetter)
    .replace(/\p{Cf}/gu, '')
    .replace(/[*~`]+|__+/g, '')
    .replace(/[\u2018\u2019\u02BC]/g, "'")
    .replace(/[\u201C\u201D]/g, '"')
    .replace(/[^\S\n]+/g, ' ');
  return spelled(mixed(plain));
}

/** Lookalikes are replaced only in words that also have Latin letters. */
const mixed = (text: string): string =>
  text.replace(/[\p{L}]+/gu, (word) =>
    /[a-z]/i.test(word) && /[\u0370-\u052F\u0261]/.test(word)
      ? [...word].map((letter) => lookalikes[letter.toLowerCase()] ?? letter).join('')
      : word,
  );

/** Words written letter by letter: `i g n o r e`. */
const spelled = (text: string): string =>
  text.replace(/(?<![\p{L}\d])(?:\p{L}[ .\-·]){4,}\p{L}(?![\p{L}\d])/gu, (word) =>
    word.replace(/[ .\-·]/g, ''),
  );

/** The letter that an invisible character of Unicode's block of tags stands for. */
const tagLetter = (tag: string): string => {
  const code = tag.codePointAt(0)! - 0xe0000;
  return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '';
};
