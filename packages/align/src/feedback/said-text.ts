// What a critic or a reviser said, without what is not part of it, and what is wrong with it. Small
// models often repeat their instructions, the answer, or themselves instead of criticising.
import { type AnswerFault, answerFault } from '../health/answer-text.ts';
import { NOTHING_TO_CHANGE } from './constitution.ts';

/** Why a critique or a revision is not used. */
export type SaidFault =
  | AnswerFault
  | 'copies the answer'
  | 'copies the critique'
  | 'copies the request'
  | 'copies an example'
  | 'describes the answer'
  | 'was cut off';

const thing = '(?:response|answer|reply|version|revision|critique|rewrite|message|text)';
const quality = '(?:revised|rewritten|updated|improved|new|better|edited|corrected|possible)';

/** Openings that announce an answer instead of giving it, to their colon or line's end. */
const openings: readonly RegExp[] = [
  // "Sure, here is a revised response:", "Certainly! Here's my critique:"
  new RegExp(
    `^(?:(?:sure|certainly|of course|okay|ok|absolutely|yes)\\b[^\\n:]{0,40}?[,.!]?\\s*)?` +
      `(?:here(?:'s| it is| is| are)|this is|below is)\\b[^\\n:.!?]{0,100}?:\\s*`,
    'iu',
  ),
  // "Revised response:", "Rewrite:", "**Revision:**"
  new RegExp(`^[*#_\\s]*(?:(?:the|my|a)\\s+)?(?:${quality}\\s+)*${thing}[*_\\s]*:[*_]*\\s*`, 'iu'),
  // "Sure!" alone on its line
  /^(?:sure|certainly|of course|okay|absolutely)[,.!]?\s*\n+/iu,
  /^assistant\s*:\s*/iu,
];

const REASONING = /^\s*<(think|thinking|reasoning)>[\s\S]*?(?:<\/\1>|$)\s*/i;

/**
 * The text after the reasoning, as models with reasoning write it (`<think>…</think>`): what they
 * think of the request is no part of an answer to it. Reasoning without an end leaves nothing.
 */
export const withoutReasoning = (text: string): string => text.replace(REASONING, '');

/** The text without announcements before it and quotation marks around all of it. */
export function withoutOpening(text: string): string {
  let left = text.trim();
  for (let cut = true; cut; ) {
    const opening = openings.find((one) => {
      const found = one.exec(left);
      return found !== null && found[0].length < left.length;
    });
    cut = opening !== undefined;
    if (opening !== undefined) left = left.replace(opening, '').trim();
  }
  const quoted = /^(["“'])([\s\S]+)(["”'])$/u.exec(left);
  const inner = quoted?.[2];
  return inner !== undefined && !/["“”]/u.test(inner) ? inner.trim() : left;
}

/** First sentences that find nothing, in a critique of one or two sentences. */
const nothing: readonly RegExp[] = [
  /^nothing\b/i,
  /^none\b/i,
  /^no\b[^.]{0,40}\b(?:changes?|problems?|issues?|concerns?|improvements?|harm\w*)\b/i,
  /\b(?:there (?:is|are|was|were)|i (?:see|find|found)) (?:nothing|no)\b/i,
  /\b(?:does|did|do) not (?:need|require) (?:to be )?(?:any )?(?:chang|revis|improv|edit)/i,
  /\b(?:is|was) (?:already )?(?:fine|appropriate|acceptable|harmless|not harmful)\b/i,
];

/** Whether a critique says that there is nothing to criticise. */
export function findsNothing(critique: string): boolean {
  const text = critique.trim();
  if (text.toLowerCase().startsWith(NOTHING_TO_CHANGE.slice(0, -1).toLowerCase())) return true;
  const sentences = text.split(/(?<=[.!?])\s+/u);
  if (sentences.length > 2) return false;
  if (/\b(?:but|however|although|though|except|should|could|yet)\b/i.test(text)) return false;
  return nothing.some((one) => one.test(sentences[0]!));
}

/** What a text might have been copied from. */
export interface Sources {
  answer: string;
  request: string;
  examples: readonly string[];
  /** For a revision. */
  critique?: string;
}

/** @param ended whether the model ended the text itself */
export function critiqueFault(
  critique: string,
  sources: Sources,
  ended: boolean,
): SaidFault | null {
  const fault = answerFault(critique);
  if (fault !== null) return fault;
  if (copies(critique, sources.answer)) return 'copies the answer';
  if (copies(critique, sources.request)) return 'copies the request';
  if (quotes(critique, sources.examples)) return 'copies an example';
  // A critique may stop anywhere: what it says up to there still counts.
  return ended || critique.trim().split(/\s+/u).length >= MIN_WORDS ? null : 'was cut off';
}

/** As {@link critiqueFault}, for a revision, which has to be whole and another text. */
export function revisionFault(
  revision: string,
  sources: Sources,
  ended: boolean,
): SaidFault | null {
  const fault = answerFault(revision);
  if (fault !== null) return fault;
  if (!ended) return 'was cut off';
  if (words(revision).join(' ') === words(sources.answer).join(' ')) return 'copies the answer';
  if (sources.critique !== undefined && copies(revision, sources.critique)) {
    return 'copies the critique';
  }
  if (copies(revision, sources.request)) return 'copies the request';
  if (about.test(revision)) return 'describes the answer';
  return quotes(revision, sources.examples) ? 'copies an example' : null;
}

/** A text about an answer instead of an answer. */
const about = /^(?:the|your|this|my) (?:last |previous |revised )?(?:response|answer|reply)\b/i;

const PIECE = 5;
const MIN_WORDS = 8;
/** Shares of pieces of five words from which on a text is a copy. */
const COPIED = 0.8;
const QUOTED = 0.4;

/** Whether four fifths of a text's pieces are in another text. */
const copies = (text: string, source: string): boolean => sharedWith(text, [source]) >= COPIED;

/** Examples are about something else: two fifths of the pieces are too many. */
const quotes = (text: string, examples: readonly string[]): boolean =>
  sharedWith(text, examples) >= QUOTED;

/** Share of a text's pieces that are in others; 0 for a short text. */
function sharedWith(text: string, sources: readonly string[]): number {
  const own = words(text);
  if (own.length < MIN_WORDS) return 0;
  const known = new Set(sources.flatMap((source) => pieces(words(source))));
  const all = pieces(own);
  return all.filter((piece) => known.has(piece)).length / all.length;
}

const words = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];

const pieces = (all: readonly string[]): string[] =>
  all
    .slice(0, Math.max(0, all.length - PIECE + 1))
    .map((_, at) => all.slice(at, at + PIECE).join(' '));
