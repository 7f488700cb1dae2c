// What the text of a CSV cell means.
import { parseExactJson } from '@keel/model/exact-json';
import { own } from '../config/own.ts';

const numbers = new Set(['margin', 'score_chosen', 'score_rejected']);
const lists = new Set(['messages', 'completions', 'ranking', 'scores', 'labels']);
const contents = new Set(['prompt', 'completion', 'chosen', 'rejected', 'messages']);

const truths: Record<string, boolean> = { true: true, false: false, 1: true, 0: false };

/** What a label's text means; 1.0 and 0.0 are what pandas writes of a column with gaps. */
const truthOf = (text: string): boolean | undefined =>
  own(truths, /^[01]\.0+$/.test(text) ? text[0]! : text.toLowerCase());

/**
 * What the text of a CSV cell means. CSV knows only text, so numbers, labels, lists and chats are
 * read from it; a cell that is none of what its field wants stays text, for the row's check to
 * name.
 */
export const cellValue = (field: string, text: string): unknown => {
  if (numbers.has(field)) {
    if (text.trim() === '') return undefined;
    return Number.isNaN(Number(text)) ? text : Number(text);
  }
  if (field === 'label') {
    return text.trim() === '' ? undefined : (truthOf(text.trim()) ?? text);
  }
  if (lists.has(field)) {
    if (text.trim() === '') return undefined;
    return listIn(text) ?? text;
  }
  if (contents.has(field) && /^\s*\[\s*\{/.test(text)) {
    // A prompt may be JSON itself: only turns make it a chat.
    const list = listIn(text);
    return list?.every((turn) => isTurn(turn)) ? list : text;
  }
  return text;
};

const listIn = (text: string): unknown[] | undefined => {
  try {
    const value: unknown = parseExactJson(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

const isTurn = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && ('role' in value || 'from' in value);
