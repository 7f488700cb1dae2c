// Tells the mark that ends a turn from the header of the next one. In some templates (GLM-4.5), an
// answer ends with the header of the next speaker, since the model generates that token last.
import type { RenderedChat } from '@keel/model';
import type { Chat } from './chat-rendering.ts';

const firstTag = /^\s*(<[^<>\s]+>)/;
const anyTag = /[<[](\/?)([^<>[\]/\s]+)[>\]]/g;

export interface TurnBorder {
  /** Where the turn begins, or the message before it ends. */
  from: number;
  /** Where the text ends that is surely the turn's: its own, and `shared` characters after it. */
  end: number;
  /** The length of what the template writes after the turn's own text. */
  shared: number;
  /** What follows in the conversation that ends with the turn: '' if nothing does. */
  last: string;
  /** Where the next message's text starts. */
  next: number;
}

/**
 * The length of the mark that ends a turn at `end`, white space before it included; 0 if there is
 * none, or if the turn has its mark already.
 */
export function endMarkLength(
  tokenizer: Chat['tokenizer'],
  { text }: Pick<RenderedChat, 'text'>,
  { from, end, shared, last, next }: TurnBorder,
): number {
  if (hasMark(text.slice(from, end), shared)) return 0;
  const [written = '', tag = ''] = firstTag.exec(text.slice(end)) ?? [];
  if (tag === '' || end + written.length > next) return 0;
  const id = tokenizer.tokenToId(tag);
  if (id !== null && tokenizer.endOfTurnIds.has(id)) return written.length;
  const after = text.slice(end + written.length, next);
  // The last turn has another mark; this one precedes the next header.
  if (firstTag.test(last)) return startsHeader(after) ? written.length : 0;
  // A token that the model does not stop at belongs to the header of the next turn.
  if (id !== null) return 0;
  return /^<[|｜]/.test(tag) && isAlone(after) ? written.length : 0;
}

/** Whether a turn has a tag after its own text, except tags that close what the turn opened. */
function hasMark(turn: string, shared: number): boolean {
  const own = turn.slice(0, turn.length - shared);
  return [...turn.slice(own.length).matchAll(anyTag)].some(
    ([, slash, name]) => slash === '' || !own.includes(`<${name}`),
  );
}

/** Whether nothing else is in a tag's line: the tag is the whole header. */
const isAlone = (after: string): boolean => /^\s*$|^[^\S\n]*\n/.test(after);

const startsHeader = (after: string): boolean => /^\s*[<[]|^\s*\n\s*\S/.test(after);
