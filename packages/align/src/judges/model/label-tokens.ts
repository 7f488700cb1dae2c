// The tokens of a judge's labels after its prompt, and their probabilities.
/** A prompt and what may follow it. */
export interface LabelTokens {
  /** Tokens before the labels. */
  prompt: readonly number[];
  /** Every way to write a label; each has at least one token. */
  sequences: readonly { label: number; tokens: readonly number[] }[];
}

/**
 * Tokens of labels after a text. A label can follow with or without a space. If the tokenizer
 * merges a label with the end of the text, the tokens of both that differ between labels are
 * part of the sequences: `prompt` is then shorter than the tokens of the text.
 * @param encode tokens of a whole text
 */
export function labelTokens(
  encode: (text: string) => number[],
  text: string,
  labels: readonly string[],
): LabelTokens {
  const alone = encode(text);
  const whole = labels.flatMap((label, index) =>
    [label, ` ${label}`].map((form) => ({ label: index, tokens: encode(text + form) })),
  );
  const shared = whole.reduce((least, { tokens }) => {
    const differs = tokens.findIndex((token, at) => token !== alone[at]);
    return Math.min(least, differs < 0 ? tokens.length - 1 : differs);
  }, alone.length);
  const found = new Map<string, LabelTokens['sequences'][number]>();
  for (const { label, tokens } of whole) {
    const rest = tokens.slice(shared);
    // A tokenizer can drop the space, and two labels can be unknown to it.
    found.set(`${label}:${rest.join()}`, { label, tokens: rest });
  }
  return { prompt: alone.slice(0, shared), sequences: [...found.values()] };
}

/**
 * Probability that exactly this sequence is said, and none that continues it: "1" does not include
 * "10".
 * @param sequences tokens of each
 * @param whole probability of these tokens, whatever follows them
 */
export function exclusive(
  sequences: readonly (readonly number[])[],
  whole: readonly number[],
): number[] {
  const own = [...whole];
  const longestFirst = sequences
    .map((_, index) => index)
    .sort((a, b) => {
      return sequences[b]!.length - sequences[a]!.length;
    });
  for (const index of longestFirst) {
    const tokens = sequences[index]!;
    const longer = sequences.map((other, place) =>
      other.length > tokens.length && tokens.every((token, at) => other[at] === token)
        ? own[place]!
        : 0,
    );
    const rest = longer.reduce((sum, value) => sum + value, 0);
    own[index] = Math.max(whole[index]! - rest, 0);
  }
  return own;
}

/** Probability of each label: the sum over the ways to write it. */
export function labelProbabilities(
  sequences: LabelTokens['sequences'],
  whole: readonly number[],
  labels: number,
): number[] {
  const own = exclusive(
    sequences.map(({ tokens }) => tokens),
    whole,
  );
  const sums: number[] = new Array(labels).fill(0);
  sequences.forEach(({ label }, index) => {
    sums[label]! += own[index]!;
  });
  return sums;
}

/** The mean of a distribution over whole numbers from `from`. */
export function expectedRating(probabilities: readonly number[], from: number): number {
  const all = probabilities.reduce((sum, value) => sum + value, 0);
  return probabilities.reduce((sum, value, index) => sum + (from + index) * value, 0) / all;
}
