import { describe, expect, test } from 'vitest';
import { PythonFloat } from '../jinja/values.ts';
import {
  asWritten,
  exactJson,
  fieldNames,
  inOrder,
  JsonNumberError,
  parseExactJson,
  plainNumbers,
} from './exact-json.ts';

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

describe('fields stay in the order of the text', () => {
  const read = (text: string) => parseExactJson(text) as Record<string, object>;

  test.each([
    '{"title":"Sales","2024":7,"2023":5}',
    '{"a":{"10":20.0,"9":[{"b":1,"0":"\\" \\\\","__proto__":3}]},"c":"\\"7\\": x"}',
    '[{"x":null,"4294967296":1,"1":{}},"1",{"3":1,"2":true}]',
  ])('%s', (text) => {
    expect(exactJson(parseExactJson(text))).toBe(text);
  });

  test('also where a name is written with escapes, or twice as in Python', () => {
    expect(fieldNames(read('{"b":1,"\\u0031":2}'))).toEqual(['b', '1']);
    const twice = read('{"b":1,"7":2,"3":3,"7":4}');
    expect(fieldNames(twice)).toEqual(['b', '7', '3']);
    expect(twice).toMatchObject({ '7': 4 });
  });

  test('and in copies with other, further or fewer fields', () => {
    const { b: _, ...copy } = { ...read('{"b":1,"7":2,"3":3}'), b: 0, 7: 9, c: 1 };
    expect(exactJson(copy)).toBe('{"7":9,"3":3,"c":1}');
    const floats = read('{"b":20.0,"7":2,"3":{"x":1,"0":2.0}}');
    expect(exactJson(plainNumbers(floats))).toBe('{"b":20,"7":2,"3":{"x":1,"0":2}}');
    expect(exactJson(inOrder({ a: 1, 2: 1 }, ['a', '2']))).toBe('{"a":1,"2":1}');
  });

  test('an object without such fields is as JSON.parse gives it', () => {
    expect(Reflect.ownKeys(read('{"1":2,"2":3,"a":4}'))).toEqual(['1', '2', 'a']);
  });

  test('faults are those of the text', () => {
    const text = '{"b":1,"7":2,}';
    const fault = (parse: (text: string) => unknown) => {
      try {
        parse(text);
      } catch (error) {
        return `${error}`;
      }
      return '';
    };
    expect(fault(parseExactJson)).toBe(fault(JSON.parse));
    expect(() => parseExactJson('{"b":1,"7":1e400}')).toThrow(new JsonNumberError('1e400', '7'));
  });
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

test('other writers of JSON write the numbers of a value as they are', () => {
  const text = '{"a":[1.0,{"b":12345678901234567890}],"c":"1.0","d":-0.0,"e":2}';
  expect(JSON.stringify(asWritten(parseExactJson(text)))).toBe(text);
});
