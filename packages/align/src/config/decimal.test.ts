import { expect, test } from 'vitest';
import { numberFault, parseDecimal } from './decimal.ts';

test.each([
  ['8', 8],
  ['-3', -3],
  ['+3', 3],
  ['007', 7],
  ['1_000', 1000],
  ['1_000.5', 1000.5],
  ['1e-5', 1e-5],
  ['1E3', 1000],
  ['5.', 5],
  ['.5', 0.5],
  [' 2 ', 2],
  ['0e-999', 0],
])('%s is %d', (text, value) => {
  expect(parseDecimal(text)).toBe(value);
});

test.each([
  ...['', '.', 'e5', '1e', '_1', '1_', '1__0', '1._5', '1e5.5', '1 000', '--1', '0x10', '0o7'],
  ...['NaN', 'Infinity', '.inf', '1e999', '1e-999', 'ten', '1,5', '1:30'],
])('%s is not a number', (text) => {
  expect(parseDecimal(text)).toBeNull();
});

test.each([
  ['0x10', 'write it in decimal'],
  ['.nan', 'it must be finite'],
  ['-Infinity', 'it must be finite'],
  ['0,1', 'write the decimal point as a full stop'],
  ['1e999', 'it is out of the range of 64-bit floating point'],
  ['9007199254740993', 'whole numbers must be within ±9007199254740991 to be exact'],
])('%s: %s', (text, fault) => {
  expect(numberFault(text, 'integer')).toBe(fault);
  expect(numberFault('ten', 'integer')).toBeNull();
});
