/** A group of alternatives, written as regular expressions: several of them in one string. */
export const oneOf = (...alternatives: string[]): string => `(?:${alternatives.join('|')})`;

/** The same as whole words. */
export const wordsOf = (...alternatives: string[]): string => `\\b${oneOf(...alternatives)}\\b`;

/** The same at the start of a sentence. */
export const atStart = (...alternatives: string[]): string => `^${oneOf(...alternatives)}\\b`;

/** Up to four words between two parts of a phrase. */
export const few = "(?:[\\w',-]+ ){0,4}?";
