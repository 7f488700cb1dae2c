import { expect, test } from 'vitest';
import { csvOf, fileName } from './download.ts';

test('a table has every step, and values that are not finite by their names', () => {
  const csv = csvOf([
    { name: 'a', steps: [1, 3], values: [0.1, 1e-7], nonFinite: [{ step: 2, value: 'NaN' }] },
    { name: 'b, "c"', steps: [2], values: [-3], nonFinite: [] },
  ]);
  expect(csv).toBe('step,a,"b, ""c"""\r\n1,0.1,\r\n2,NaN,-3\r\n3,1e-7,\r\n');
});

test.each(['=1+1', '+1', '-1', '@SUM(A1)'])('%s is no formula in a spreadsheet', (name) => {
  const csv = csvOf([{ name, steps: [], values: [], nonFinite: [] }]);
  expect(csv).toBe(`step,'${name}\r\n`);
});

test('a name has only characters that every file system takes', () => {
  expect(fileName('Loss: held out', 'csv')).toBe('Loss-held-out.csv');
  expect(fileName('../<script>', 'png')).toBe('..-script.png');
  expect(fileName('…', 'png')).toBe('chart.png');
});
