// Which label a reply gives: by the probabilities of its tokens, or strictly by its words.
import type { WrittenToken } from './completion.ts';

/** What a reply is read with. */
export interface LabelRule {
  /** What the judge may answer. */
  labels: readonly string[];
  /** What may come before the label on its line: `Verdict:`. */
  cue: string;
}

/** A label on the last line of a reply. */
interface FoundLabel {
  label: string;
  /** Characters before the label. */
  at: number;
}

/**
 * The label that is alone on the last line that is not empty. It may follow the cue, be in
 * `[[double brackets]]`, quotes or asterisks, and have a full stop.
 * @returns null if the line is anything else
 */
export function labelOnLastLine(text: string, { labels, cue }: LabelRule): FoundLabel | null {
  const lines = text.split('\n');
  const last = lines.findLastIndex((line) => line.trim() !== '');
  if (last < 0) return null;
  const start = lines.slice(0, last).reduce((sum, line) => sum + line.length + 1, 0);
  const line = lines[last]!;
  const word = `["'*\`]*(?:\\[\\[)?(${labels.map(escaped).join('|')})(?:\\]\\])?["'*\`]*\\.?["'*\`]*`;
  const found = new RegExp(`^\\s*[*]*(?:${escaped(cue)})?[*]*\\s*${word}\\s*$`, 'd').exec(line);
  if (found === null) return null;
  return { label: found[1]!, at: start + found.indices![1]![0] };
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

/** Probabilities of the labels at one place of a reply. */
export interface LabelProbabilities {
  /** By label, as the endpoint gives them: their sum is {@link total}. */
  probabilities: Record<string, number>;
  /** What the labels have together, at most 1. */
  total: number;
  /** What was left out, because it may be of one label or of a longer one. */
  ambiguous: number;
}

/**
 * Probabilities of the labels, where the reply gives its label, or else at its first token. Tokens
 * count with and without a space before them. Labels that the endpoint does not list have 0.
 *
 * If the endpoint's tokens are single digits, a "1" may be 1 or the beginning of 10. What follows
 * is known only if the reply says "1": otherwise, its probability is left out.
 * @param reasoning whether the label follows other words, so that the first token says nothing
 * @returns null if there is no place to read
 */
export function readProbabilities(
  tokens: readonly WrittenToken[],
  rule: LabelRule & { reasoning: boolean },
): LabelProbabilities | null {
  const place = labelToken(tokens, rule);
  if (place === null) return null;
  const listed = listedAt(tokens[place]!);
  const probabilities: Record<string, number> = {};
  let ambiguous = 0;
  for (const label of rule.labels) {
    const longer = rule.labels.filter((other) => other !== label && other.startsWith(label));
    const split = longer.filter((other) => !listed.has(other));
    const whole = listed.get(label) ?? 0;
    probabilities[label] = (probabilities[label] ?? 0) + whole;
    if (split.length === 0 || whole === 0) continue;
    if (wordOf(tokens[place]!.token) !== label) {
      probabilities[label] = 0;
      ambiguous += whole;
      continue;
    }
    const next = tokens[place + 1];
    if (next === undefined) continue;
    const following = listedAt(next, true);
    for (const other of split) {
      const part = whole * Math.min(following.get(other.slice(label.length)) ?? 0, 1);
      probabilities[other] = (probabilities[other] ?? 0) + part;
      probabilities[label] -= part;
    }
  }
  const total = Object.values(probabilities).reduce((sum, value) => sum + value, 0);
  // A server may list a token twice, such as two spellings of the same text.
  if (total > 1) for (const label of Object.keys(probabilities)) probabilities[label]! /= total;
  return { probabilities, total: Math.min(total, 1), ambiguous };
}

/** Index of the token that begins the label. */
function labelToken(
  tokens: readonly WrittenToken[],
  rule: LabelRule & { reasoning: boolean },
): number | null {
  const text = tokens.map(({ token }) => token).join('');
  const found = labelOnLastLine(text.replace(endMarks, ''), rule);
  if (found === null) {
    const first = tokens.findIndex(({ token }) => token.trim() !== '');
    return rule.reasoning || first < 0 ? null : first;
  }
  let end = 0;
  const place = tokens.findIndex(({ token }) => {
    end += token.length;
    return end > found.at;
  });
  return place < 0 ? null : place;
}

/** End-of-sequence tokens, which some servers list. */
const endMarks = /(?:<\|[\w-]+\|>|<\/s>|<end_of_turn>)+\s*$/;

/** A token without the space before it; servers also write that space as ▁ or Ġ. */
const wordOf = (token: string): string => token.replace(/^[\s▁Ġ]+|\s+$/gu, '');

/**
 * Probabilities of the words at a place, each the sum of its tokens.
 * @param exact whether a space makes another word
 */
function listedAt({ token, logprob, top }: WrittenToken, exact = false): Map<string, number> {
  const found = new Map<string, number>();
  const own = top.some((one) => one.token === token) ? [] : [{ token, logprob }];
  for (const one of [...top, ...own]) {
    const word = exact ? one.token : wordOf(one.token);
    found.set(word, (found.get(word) ?? 0) + Math.exp(one.logprob));
  }
  return found;
}

/** The label of a reply in JSON, `{"verdict": "A"}`, perhaps in a code block; or null. */
export function labelInJson(
  text: string,
  labels: readonly string[],
): { label: string; reason: string | null } | null {
  const fields = jsonObject(text);
  if (fields === null) return null;
  const { verdict, reason } = fields;
  const label = typeof verdict === 'number' ? String(verdict) : verdict;
  if (typeof label !== 'string' || !labels.includes(label)) return null;
  return { label, reason: typeof reason === 'string' && reason !== '' ? reason : null };
}

/** The object that a reply consists of, perhaps in a code block; or null. */
export function jsonObject(text: string): Record<string, unknown> | null {
  const inside = /^\s*```(?:json)?\s*\n([\s\S]*?)\n?\s*```\s*$/i.exec(text)?.[1] ?? text;
  try {
    const value: unknown = JSON.parse(inside);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
