// Words by which other tools name a verdict.
import type { Choice } from '../../store/schema.ts';

const word = '(?:answer|response|completion|model|output|option|text)';
const side = (names: string): RegExp =>
  new RegExp(`^(?:${word}[\\s_-]*)?(?:${names})(?: is better)?$`);

const pairWords: readonly (readonly [RegExp, Choice])[] = [
  [side('1|a|left|first'), 'left'],
  [side('2|b|right|second'), 'right'],
  [/^(?:tie|equal|same|draw|both|both good|no preference|0)$/, 'tie'],
  [/^(?:both[\s_-]*(?:are[\s_-]*)?bad|neither|none|tie \(both ?bad\))$/, 'both_bad'],
];
const thumbWords: readonly (readonly [RegExp, Choice])[] = [
  [/^(?:up|good|yes|true|accept|thumbs?[\s_-]*up|1|👍)$/, 'up'],
  [/^(?:down|bad|no|false|reject|thumbs?[\s_-]*down|0|👎)$/, 'down'],
];

/** @param names what the file calls the answers, if it names them */
export function choiceNamed(
  value: string,
  kind: 'pair' | 'thumb',
  names: readonly string[] = [],
): Choice | null {
  const own = kind === 'pair' ? names.indexOf(value) : -1;
  if (own === 0 || own === 1) return own === 0 ? 'left' : 'right';
  const plain = value.trim().toLowerCase();
  const words = kind === 'pair' ? pairWords : thumbWords;
  return words.find(([known]) => known.test(plain))?.[1] ?? null;
}
