// The layout of rankings that the objectives on K answers share: answers of several prompts in one
// flat list.

/** Answers of G prompts side by side, each prompt's with the best first. */
export interface RankedGroups {
  /** Where each prompt's answers begin, and at last N: [G + 1] */
  offsets: Int32Array;
  /** Rank of each answer within its prompt, never falling, equal for ties: [N]; none: no ties */
  ranks?: Int32Array;
}

/** Which answers an answer is preferred to: all of its prompt with a lower place. */
export interface RankedAnswer {
  group: number;
  /** Its place in the flat list */
  index: number;
  /** The first place in the flat list of an answer worse than this; `end` where there is none */
  worse: number;
  /** Where its prompt's answers end */
  end: number;
}

/**
 * The answers with what each is better than.
 * @param shape of the scores: [N]
 * @throws RangeError for scores of another shape, for offsets that do not part N answers into
 *   groups of two or more, and for ranks out of order
 */
export function rankedAnswers(
  shape: readonly number[],
  { offsets, ranks }: RankedGroups,
): RankedAnswer[] {
  const count = shape.length === 1 ? shape[0]! : Number.NaN;
  if (Number.isNaN(count)) {
    throw new RangeError(`rankings: scores are [${shape}] and should be [answers]`);
  }
  if (offsets[0] !== 0 || offsets.at(-1) !== count || offsets.length < 2) {
    throw new RangeError(
      `rankings: offsets go from ${offsets[0]} to ${offsets.at(-1)}, the scores from 0 to ${count}`,
    );
  }
  if (ranks !== undefined && ranks.length !== count) {
    throw new RangeError(`rankings: ${ranks.length} ranks for ${count} scores`);
  }
  const answers: RankedAnswer[] = [];
  for (let group = 0; group + 1 < offsets.length; group++) {
    const [start, end] = [offsets[group]!, offsets[group + 1]!];
    if (end - start < 2) {
      throw new RangeError(`rankings: prompt ${group} has ${end - start} answers, not two or more`);
    }
    for (let index = start; index < end; index++) {
      let worse = index + 1;
      if (ranks !== undefined) {
        if (index > start && ranks[index]! < ranks[index - 1]!) {
          throw new RangeError(
            `rankings: prompt ${group} has rank ${ranks[index]} after ${ranks[index - 1]}; the best comes first`,
          );
        }
        while (worse < end && ranks[worse] === ranks[index]) worse++;
      }
      answers.push({ group, index, worse, end });
    }
  }
  return answers;
}
