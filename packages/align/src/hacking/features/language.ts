// The language of a text: by its script where only one language has it, else by its trigrams
// (franc), among the languages of IFEval.
import { francAll } from 'franc';

/** ISO 639-1, as in IFEval's rows, to franc's ISO 639-3, and the script. */
const languages: Record<string, readonly [code: string, script: string]> = {
  ar: ['arb', 'Arabic'],
  bg: ['bul', 'Cyrillic'],
  bn: ['ben', 'Bengali'],
  de: ['deu', 'Latin'],
  en: ['eng', 'Latin'],
  es: ['spa', 'Latin'],
  fa: ['pes', 'Arabic'],
  fi: ['fin', 'Latin'],
  fr: ['fra', 'Latin'],
  gu: ['guj', 'Gujarati'],
  he: ['heb', 'Hebrew'],
  hi: ['hin', 'Devanagari'],
  it: ['ita', 'Latin'],
  ja: ['jpn', 'Japanese'],
  kn: ['kan', 'Kannada'],
  ko: ['kor', 'Hangul'],
  mr: ['mar', 'Devanagari'],
  ne: ['npi', 'Devanagari'],
  nl: ['nld', 'Latin'],
  pa: ['pan', 'Gurmukhi'],
  pl: ['pol', 'Latin'],
  pt: ['por', 'Latin'],
  ru: ['rus', 'Cyrillic'],
  sw: ['swh', 'Latin'],
  ta: ['tam', 'Tamil'],
  te: ['tel', 'Telugu'],
  th: ['tha', 'Thai'],
  tr: ['tur', 'Latin'],
  uk: ['ukr', 'Cyrillic'],
  ur: ['urd', 'Arabic'],
  vi: ['vie', 'Latin'],
  zh: ['cmn', 'Han'],
};

export const knownLanguages = Object.keys(languages);

const scripts = [...new Set(Object.values(languages).map(([, script]) => script))];

const lettersOf = (answer: string, script: string): number => {
  const classes =
    script === 'Japanese' ? '\\p{Script=Hiragana}\\p{Script=Katakana}' : `\\p{Script=${script}}`;
  return answer.match(new RegExp(`[${classes}]`, 'gu'))?.length ?? 0;
};

/** The script with the most letters; null without letters. Kana make Han characters Japanese. */
function scriptOf(answer: string): string | null {
  const counts = scripts.map((script) => ({ script, letters: lettersOf(answer, script) }));
  const kana = counts.find(({ script }) => script === 'Japanese')!.letters;
  const han = counts.find(({ script }) => script === 'Han')!.letters;
  const merged = counts.map(({ script, letters }) => ({
    script,
    letters: script === 'Japanese' && kana > 0.1 * han ? kana + han : letters,
  }));
  const most = merged.reduce((best, one) => (one.letters > best.letters ? one : best));
  return most.letters === 0 ? null : most.script;
}

/** Characters below which trigrams say nothing, and from which the best guess is right. */
const SHORTEST = 20;
const SURE = 300;
/** Of the best guess's score, 1: a short text may be in any language that is so near. */
const NEAR = 0.85;

/**
 * Whether an answer is in a language, by its ISO 639-1 code. An answer without letters, or too
 * short to tell languages of a script apart, counts as being in any of that script.
 */
export function isInLanguage(answer: string, language: string): boolean {
  const [code, script] = languages[language]!;
  const found = scriptOf(answer);
  if (found === null) return true;
  if (found !== script) return false;
  const only = Object.values(languages).filter(([, other]) => other === script);
  if (only.length === 1) return true;
  // Capitals have other trigrams.
  const guesses = francAll(answer.toLowerCase(), {
    only: only.map(([one]) => one),
    minLength: SHORTEST,
  });
  const near = answer.length < SURE ? NEAR : 1;
  return guesses.some(([guess, score]) => guess === 'und' || (guess === code && score >= near));
}

/**
 * The language that a text is most likely in, by its ISO 639-1 code.
 * @returns null for a text without letters, and for one that is too short to tell languages of its
 *   script apart
 */
export function languageOf(text: string): string | null {
  const script = scriptOf(text);
  const only = Object.entries(languages).filter(([, [, other]]) => other === script);
  if (only.length <= 1) return only[0]?.[0] ?? null;
  const [guess] = francAll(text.toLowerCase(), {
    only: only.map(([, [code]]) => code),
    minLength: SURE_START,
  })[0]!;
  return only.find(([, [code]]) => code === guess)?.[0] ?? null;
}

/** Characters from which the best guess is a language at all. */
const SURE_START = 60;
