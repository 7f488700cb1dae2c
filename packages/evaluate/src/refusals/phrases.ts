// Kinds of sentences by their phrases. Sentences are in lower case, with straight apostrophes (see
// sentences.ts).
import { decliningPhrases } from './declining-phrases.ts';
import { judgingPhrases } from './judging-phrases.ts';
import { otherLanguages } from './other-languages.ts';
import { turningPhrases } from './turning-phrases.ts';

const phrases = { ...decliningPhrases, ...judgingPhrases, ...turningPhrases };

export type SentenceKind = keyof typeof phrases;

const others: Partial<Record<SentenceKind, string>> = otherLanguages;

const patterns = (Object.keys(phrases) as SentenceKind[]).map((kind) => {
  const other = others[kind];
  const source = other === undefined ? phrases[kind] : `${phrases[kind]}|${other}`;
  return { kind, pattern: new RegExp(source, 'u') };
});

/** What a sentence says; several kinds are possible, and often none. */
export const kindsOf = (sentence: string): SentenceKind[] =>
  patterns.filter(({ pattern }) => pattern.test(sentence)).map(({ kind }) => kind);
