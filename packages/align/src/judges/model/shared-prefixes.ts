import type { BatchBuilder } from '@keel/model';

/** Where a sequence ends in a packed batch. */
export interface SequenceEnd {
  /** The segment that ends with its last token. */
  segment: number;
  /** Index of its last token in the batch. */
  row: number;
}

/**
 * Adds sequences to a batch. Tokens with which several of them start are computed once: each
 * sequence becomes a chain of segments.
 * @param sequences none is empty
 * @returns one end for each sequence
 */
export function addShared(
  builder: BatchBuilder,
  sequences: readonly (readonly number[])[],
): SequenceEnd[] {
  const ends: SequenceEnd[] = [];
  const add = (members: readonly number[], from: number, prefix: number): void => {
    for (const group of startingAlike(members, sequences, from)) {
      const to = sharedUntil(group, sequences, from);
      const segment = builder.add(sequences[group[0]!]!.slice(from, to), prefix);
      const row = builder.size - 1;
      for (const member of group) {
        if (sequences[member]!.length === to) ends[member] = { segment, row };
      }
      const longer = group.filter((member) => sequences[member]!.length > to);
      if (longer.length > 0) add(longer, to, segment);
    }
  };
  add([...sequences.keys()], 0, -1);
  return ends;
}

/** Members by their token at a place, in the order of their first one. */
function startingAlike(
  members: readonly number[],
  sequences: readonly (readonly number[])[],
  at: number,
): Iterable<number[]> {
  return Map.groupBy(members, (member) => sequences[member]![at]!).values();
}

/** The place until which all members have the same tokens. */
function sharedUntil(
  members: readonly number[],
  sequences: readonly (readonly number[])[],
  from: number,
): number {
  const first = sequences[members[0]!]!;
  let to = from;
  while (to < first.length && members.every((member) => sequences[member]![to] === first[to])) {
    to += 1;
  }
  return to;
}
