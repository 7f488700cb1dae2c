import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LocalTime, strftime } from './strftime.ts';

const { formats, times } = JSON.parse(
  readFileSync(new URL('./fixtures/strftime.json', import.meta.url), 'utf8'),
) as { formats: string[]; times: Record<string, string[]> };

describe('strftime', () => {
  it.each(Object.keys(times))('writes %s as Python does', (text) => {
    const time = LocalTime.parse(text);
    const written = formats.map((format) => [format, strftime(time, format)]);
    expect(written).toEqual(formats.map((format, index) => [format, times[text]![index]]));
  });
});

describe('LocalTime', () => {
  it('is read from ISO form, and written in it', () => {
    for (const text of [
      '2026-11-28T15:04:05',
      '2026-01-02T03:04:05.600000',
      '0001-01-01T00:00:00',
    ]) {
      expect(LocalTime.parse(text).toString()).toBe(text);
    }
    expect(LocalTime.parse('2026-11-28').toString()).toBe('2026-11-28T00:00:00');
    expect(LocalTime.parse('2026-11-28 15:04').toString()).toBe('2026-11-28T15:04:00');
  });

  it.each([
    '',
    'now',
    '2026-13-01',
    '2026-02-29',
    '2026-11-28T25:00:00',
    '2026-11-28T15:04:05Z',
  ])('refuses "%s"', (text) => {
    expect(() => LocalTime.parse(text)).toThrow(RangeError);
  });
});
