// Numbers in a text as people write them: "$1,234.50", "−3", "2 1/2", "1.5e6", "3 million", "40%".
// Units are ignored.

const SEPARATOR = "[,'’_\\u00a0\\u2009\\u202f]";
const DIGITS = `(?:\\d{1,3}(?:${SEPARATOR}\\d{3})+(?!\\d)|\\d+)`;
const pattern = new RegExp(
  // A hyphen is a minus sign in front of the number and behind nothing: not in "10-5".
  '(?<![\\p{L}\\d]|\\d\\.)(?:(?<![)\\]])(?<minus>[-−]))?[$€£¥]?\\s?' +
    `(?:(?<![/⁄])(?:(?<whole>\\d+)\\s+)?(?<upper>\\d+)\\s?[/⁄]\\s?(?<lower>\\d+)(?![\\d/])` +
    `|(?<decimal>(?:${DIGITS}(?:\\.\\d+)?|\\.\\d+))` +
    '(?:[eE](?<exponent>[+-]?\\d+)(?![\\p{L}\\d])|\\s?[×x*]\\s?10\\^\\{?(?<power>[-−+]?\\d+)\\}?)?' +
    '(?:\\s(?<scale>thousand|million|billion|trillion)\\b)?)',
  'giu',
);

const scales: Record<string, number> = {
  thousand: 1e3,
  million: 1e6,
  billion: 1e9,
  trillion: 1e12,
};

/** All numbers of a text, in order. */
export function numbersIn(text: string): number[] {
  const plain = text
    .replace(/\\d?frac\{(\d+)\}\{(\d+)\}/g, ' $1/$2')
    .replace(/\\[,;!]|\{,\}/g, ',')
    .replace(/[*_`]+(?=[-−$€£¥\d.])|(?<=\d)[*_`]{2,}/g, '')
    .replace(/\\\$/g, '$');
  return [...plain.matchAll(pattern)].flatMap(({ groups }) => {
    const value = amountOf(groups!);
    return Number.isFinite(value) ? [groups!.minus === undefined ? value : -value] : [];
  });
}

function amountOf(groups: Record<string, string | undefined>): number {
  const { whole, upper, lower, decimal, exponent, power, scale } = groups;
  if (upper !== undefined) return Number(whole ?? 0) + Number(upper) / Number(lower);
  const digits = decimal!.replace(new RegExp(SEPARATOR, 'g'), '');
  const tens = (exponent ?? power ?? '0').replace('−', '-');
  return Number(`${digits}e${tens}`) * (scales[scale?.toLowerCase() ?? ''] ?? 1);
}

/**
 * The number that a text gives as its answer: behind `####` (GSM8K) or in the last `\boxed{…}` if
 * there is one, else its last number.
 * @param which the number that counts where neither is there (default: the last)
 */
export function answerNumber(text: string, which: 'first' | 'last' = 'last'): number | null {
  const marked = /####\s*([^\n]+)(?![\s\S]*####)/.exec(text)?.[1] ?? lastBoxed(text);
  if (marked !== undefined) {
    const [first] = numbersIn(marked);
    if (first !== undefined) return first;
  }
  return numbersIn(text).at(which === 'first' ? 0 : -1) ?? null;
}

function lastBoxed(text: string): string | undefined {
  const start = text.lastIndexOf('\\boxed{');
  if (start < 0) return undefined;
  let depth = 0;
  for (let at = start + 6; at < text.length; at++) {
    if (text[at] === '{') depth++;
    else if (text[at] === '}' && --depth === 0) return text.slice(start + 7, at);
  }
  return text.slice(start + 7);
}
