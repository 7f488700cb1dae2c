import { expect, it } from 'vitest';
import { Layout } from './layout.ts';

it('gives every element of the tensors to one rank, and none twice', () => {
  const sizes = [1, 33 * 33, 32, 100_003, 7];
  for (const ranks of [1, 2, 3, 5]) {
    const layout = new Layout(sizes, ranks);
    expect(layout.elements).toBe(ranks * layout.part);
    for (const start of [...layout.offsets, layout.part]) expect(start % 32).toBe(0);
    const counts = sizes.map((size) => new Uint8Array(size));
    for (let rank = 0; rank < ranks; rank++) {
      for (const { index, from, length, at } of layout.piecesOf(rank)) {
        expect(rank * layout.part + at).toBe(layout.offsets[index]! + from);
        expect(at + length).toBeLessThanOrEqual(layout.part);
        for (let place = from; place < from + length; place++) counts[index]![place]! += 1;
      }
    }
    for (const count of counts) expect(count.every((times) => times === 1)).toBe(true);
  }
});

it('finds what a range has of each tensor', () => {
  const layout = new Layout([40, 10], 2); // [0, 40), then [64, 74); parts of 64
  expect(layout.part).toBe(64);
  expect(layout.pieces(30, 70)).toEqual([
    { index: 0, from: 30, length: 10, at: 0 },
    { index: 1, from: 0, length: 6, at: 34 },
  ]);
  expect(layout.pieces(42, 60)).toEqual([]);
});
