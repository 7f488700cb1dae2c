import { expect, test } from 'vitest';
import { RowIndex } from './row-index.ts';

test('places beyond 4 GB and across several chunks are read back', () => {
  const index = new RowIndex();
  const rows = 150_000;
  for (let row = 0; row < rows; row++) index.push(row * 1e9, row + 1, row * 2 + 1);
  expect(index.length).toBe(rows);
  for (const row of [0, 65_535, 65_536, 131_072, 149_999]) {
    const found = [index.offset(row), index.byteLength(row), index.line(row)];
    expect(found).toEqual([row * 1e9, row + 1, row * 2 + 1]);
  }
  expect(() => index.offset(rows)).toThrow(RangeError);
  expect(() => index.line(-1)).toThrow(RangeError);
});

test('a span holds the rows that fit, but at least one', () => {
  const index = new RowIndex();
  for (const [offset, length] of [
    [0, 10],
    [11, 10],
    [22, 100],
    [123, 5],
  ] as const) {
    index.push(offset, length, 1);
  }
  expect(index.spanEnd(0, 21)).toBe(2);
  expect(index.spanEnd(0, 20)).toBe(1);
  expect(index.spanEnd(2, 20)).toBe(3);
  expect(index.spanEnd(0, 1000)).toBe(4);
});
