import { exactJson } from '@keel/model/exact-json';
import { expect, it } from 'vitest';
import { eachValue } from './each-value.ts';
import { fixture } from './fixtures/temporary-files.ts';
import { isoDate, isoDateTime, isoDuration, isoTime } from './parquet-times.ts';

const valuesOf = async (name: string): Promise<Record<string, unknown>[]> => {
  const values: Record<string, unknown>[] = [];
  const each = (value: unknown) => void values.push(value as Record<string, unknown>);
  const reject = (error: Error): never => {
    throw error;
  };
  await eachValue([fixture(name)], { each, reject });
  return values;
};

// What fixtures/make-parquet-times.py prints: pyarrow's values, and pydantic's text of durations.
// Keel leaves out zeros at the end of a fraction, and writes UTC as Z.
it('dates, times and durations are text in ISO 8601, in lists, structs and maps too', async () => {
  const [first, second] = await valuesOf('times.parquet');
  expect(first).toMatchObject({
    ...{ t_s: '12:34:56', t_ms: '12:34:56.5', t_us: '23:59:59.999999', t_ns: '12:34:56.000007' },
    ...{ date: '1969-12-31', at_s: '1969-12-31T23:59:59', at_ns: '1970-01-01T00:00:01.000001Z' },
    ...{ d_s: 'P1DT1H1M1S', d_ms: '-PT1.5S', d_us: 'PT0.000001S', d_ns: 'PT1H0.000001S' },
    ...{ d_list: ['PT1S', null], d_map: { x: 'PT1S', y: null }, plain: 5 },
    d_struct: { n: 5, d: 'PT5S', t: '00:00:00.005' },
  });
  expect(second).toMatchObject({
    ...{ t_s: null, t_ms: '00:00:00', t_us: '00:00:00.000005', date: '1970-01-02' },
    ...{ d_s: 'PT0S', d_ms: 'PT1M', d_us: null, d_ns: 'P2D', d_list: [], d_map: null },
  });
});

it('times that a file marks as adjusted to UTC have no time zone either', async () => {
  expect(await valuesOf('utc-times.parquet')).toEqual([
    { t_s: '12:34:56', t_ms: '12:34:56.5', t_us: '23:59:59.999999' },
    { t_s: null, t_ms: '00:00:00', t_us: '00:00:00.000005' },
  ]);
});

it('maps keep the order of their keys, which may be numbers and times', async () => {
  const [first, second] = await valuesOf('times.parquet');
  expect(exactJson(first!.by_int)).toBe('{"10":"x","2":"y","-1":null}');
  expect(exactJson(first!.by_text)).toBe('{"b":1,"10":2,"2":3}');
  expect(exactJson(first!.by_time)).toBe('{"01:00:00":"x","00:01:00":"y"}');
  expect(exactJson(first!.by_both)).toBe('[{"9":{"3":"x","1":"y"},"4":null},null]');
  expect([second!.by_int, second!.by_text, second!.by_both]).toEqual([{}, null, null]);
});

it('far years and all digits of nanoseconds are kept; a time that no day has is an error', () => {
  expect(isoDate(3_000_000)).toBe('+010183-09-21');
  expect(isoDateTime(-1n, 9)).toBe('1969-12-31T23:59:59.999999999');
  expect(isoDateTime(300_000_000_000n, 0)).toBe('+011476-08-15T05:20:00');
  expect(isoTime(1n, 9)).toBe('00:00:00.000000001');
  expect(isoDuration(-90_061_001n, 3)).toBe('-P1DT1H1M1.001S');
  expect(() => isoTime(86_400n, 0)).toThrow(/time of day of 86400 seconds/);
  expect(() => isoTime(-1n, 6)).toThrow(/time of day/);
});
