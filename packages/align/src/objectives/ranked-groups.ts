// The layout of rankings shared by objectives on K answers: the answers of several prompts in one
// flat list.

/** Concatenated answers of G prompts, best first within each prompt. */
export interface RankedGroups {
  /** The start of each prompt's answers, then N: [G + 1] */
  offsets: Int32Array;
  /**
   * Rank of each answer within its prompt, non-decreasing, equal for ties: [N]; absent without ties
   */
  ranks?: Int32Array;
}

/** An answer and the answers it is preferred to: all lower-ranked ones of its prompt. */
export interface RankedAnswer {
  group: number;
  /** Its index in the flat list */
  index: number;
  /** Index of the first worse answer in the flat list; `end` if there is none */
  worse: number;
  /** Where its prompt's answers end */
  end: number;
}

/**
 * Lists the answers with those that each is better than.
 * @param shape of the scores: [N]
 * @throws RangeError for scores of another shape, for offsets that do not divide N answers into
 *   groups of two or more, and for ranks out of order
 */
export function rankedAnswers(
  shape: readonly number[],
  { offsets, ranks }: RankedGroups,
): RankedAnswer[] {
  const count = shape.length === 1 ? shape[0]! : Number.NaN;
  if (Number.isNaN(count)) {
    throw new RangeError(`rankings: scores are [${shape}] but must be [answers]`);
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
