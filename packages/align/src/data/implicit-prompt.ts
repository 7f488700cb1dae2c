import { type Message, sameMessage } from './messages.ts';

/**
 * Length, in UTF-16 units, of the prompt that two texts share. It ends where TRL's `extract_prompt`
 * ends it: before the first character that differs, and before a space in front of that, since
 * tokenizers join a space to the word after it. If one text is a prefix of the other, the last
 * shared character belongs to the answers, so that neither is empty. Characters are code points:
 * surrogate pairs are never split.
 * Unlike in TRL, texts with nothing in common share nothing (TRL then looks at the last character).
 */
export const sharedTextLength = (first: string, second: string): number => {
  const shorter = Math.min(first.length, second.length);
  let end = 0;
  while (end < shorter && first.charCodeAt(end) === second.charCodeAt(end)) end++;
  const differs = end < shorter;
  if (differs) {
    if (cutsPair(first, end) || cutsPair(second, end)) end--;
    return end > 0 && first[end - 1] === ' ' ? end - 1 : end;
  }
  if (end === 0) return 0;
  end--;
  return cutsPair(first, end) || cutsPair(second, end) ? end - 1 : end;
};

const cutsPair = (text: string, at: number): boolean => {
  if (at === 0 || at >= text.length) return false;
  const before = text.charCodeAt(at - 1);
  const after = text.charCodeAt(at);
  return before >= 0xd800 && before <= 0xdbff && after >= 0xdc00 && after <= 0xdfff;
};

/**
 * Number of leading messages that two chats share. If one chat is a prefix of the other, the last
 * shared message belongs to the answers.
 */
export const sharedMessageCount = (first: Message[], second: Message[]): number => {
  const shorter = Math.min(first.length, second.length);
  let end = 0;
  while (end < shorter && sameMessage(first[end]!, second[end]!)) end++;
  return end < shorter || end === 0 ? end : end - 1;
};
