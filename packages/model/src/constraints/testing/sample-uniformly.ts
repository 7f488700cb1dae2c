import type { TokenConstraint } from '../constraint.ts';
import type { Random } from './random-schema.ts';

/** The tokens whose bits are set. */
export function tokensIn(mask: Int32Array): number[] {
  const tokens: number[] = [];
  for (const [index, word] of mask.entries()) {
    for (let rest = word; rest !== 0; rest &= rest - 1) {
      tokens.push(index * 32 + 31 - Math.clz32(rest & -rest));
    }
  }
  return tokens;
}

/**
 * An answer whose tokens are drawn uniformly from the allowed ones, completed within a number of
 * tokens; null: it is not complete.
 */
export function sampleUniformly(
  constraint: TokenConstraint,
  stops: ReadonlySet<number>,
  random: Random,
  limit: number,
): number[] | null {
  const state = constraint.start();
  const mask = new Int32Array(constraint.words);
  const drawn: number[] = [];
  for (let left = limit; left > 0; left--) {
    state.allowed(mask, left);
    const allowed = tokensIn(mask);
    const token = allowed[Math.floor(random() * allowed.length)]!;
    state.accept(token);
    if (stops.has(token)) {
      state.dispose();
      return drawn;
    }
    drawn.push(token);
  }
  return null;
}
