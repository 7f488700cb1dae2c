import { describe, expect, test } from 'vitest';
import { PythonFloat } from '../jinja/values.ts';
import { exactJson, JsonNumberError, parseExactJson, plainNumbers } from './exact-json.ts';

const float = (value: number) => new PythonFloat(value);

describe('numbers are read as in Python', () => {
  test.each<[string, unknown]>([
    ['3', 3],
    ['-0', 0],
    ['9007199254740991', 9007199254740991],
    ['9007199254740993', 9007199254740993n],
    ['-18446744073709551617', -18446744073709551617n],
    ['1.5', 1.5],
    ['1e-05', 0.00001],
    ['20.0', float(20)],
    ['20.00', float(20)],
    ['-0.0', float(-0)],
    ['1e16', float(1e16)],
    ['2E3', float(2000)],
    ['15e-1', 1.5],
    ['1e-400', float(0)],
    ['0.99999999999999999999', float(1)],
    ['123456789012345.000000000000001', float(123456789012345)],
    ['9007199254740993.0', float(9007199254740992)],
  ])('%s', (text, value) => {
    expect(parseExactJson(text)).toStrictEqual(value);
    expect(parseExactJson(`{"a": [1, ${text}]}`)).toStrictEqual({ a: [1, value] });
    expect(parseExactJson(exactJson([value]))).toStrictEqual([value]);
  });

  test('a number beyond a double is refused with its field', () => {
    expect(() => parseExactJson('{"a": {"wide": 1e400}}')).toThrow(JsonNumberError);
    expect(() => parseExactJson('{"a": {"wide": 1e400}}')).toThrow('1e400');
  });
});

test('text that looks like a number stays unchanged', () => {
  const value = { a: 'costs 20.0, or 1e5', '1.0': ['-0', '12345678901234567890'] };
  expect(parseExactJson(JSON.stringify(value))).toEqual(value);
});

test('exactJson writes all digits and the form of a float', () => {
  const value = { a: float(20), b: 2n ** 64n, c: [float(-0), float(1e22), 1.5, null], d: 'é' };
  expect(exactJson(value)).toBe(
    '{"a":20.0,"b":18446744073709551616,"c":[-0.0,1e+22,1.5,null],"d":"é"}',
  );
});

test('plainNumbers converts whole floats, and copies only values that contain some', () => {
  const kept = { list: [1, 'a'], at: { b: null } };
  expect(plainNumbers(kept)).toBe(kept);
  const value = { kept, list: [float(2), [float(3)]], big: 2n ** 64n };
  const plain = plainNumbers(value);
  expect(plain).toEqual({ kept, list: [2, [3]], big: 2n ** 64n });
  expect(plain.kept).toBe(kept);
  expect(value.list[0]).toEqual(float(2));
});
