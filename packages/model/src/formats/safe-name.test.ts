import { describe, expect, it } from 'vitest';
import { nameFault, safeName, safePath } from './safe-name.ts';

describe('a name from a file that becomes part of a path', () => {
  it.each([
    'model-00001-of-00002.safetensors',
    'tool_use',
    'rag',
    'Änderung',
    'a.b',
    'con-1',
    '👩‍🚀',
  ])('may be %s', (name) => {
    expect(nameFault(name)).toBeNull();
  });

  it.each([
    ['', 'empty'],
    ['.', 'another folder'],
    ['..', 'another folder'],
    ['../x', 'separator'],
    ['/etc/passwd', 'separator'],
    ['a\\b', 'separator'],
    ['a..b', '".."'],
    ['a\0', 'control character'],
    ['a\nb', 'control character'],
    ['a\u009bb', 'control character'],
    ['a\u202eb', 'invisible'],
    ['C:x', 'one of'],
    ['a?', 'one of'],
    ['CON', 'device'],
    ['nul.txt', 'device'],
    ['Com1', 'device'],
    ['a.', 'dot'],
    [' a', 'space'],
    ['\ud800', 'invisible'],
    ['ä'.repeat(128), '255 bytes'],
    [7, 'not text'],
    [null, 'not text'],
  ])('cannot be %j', (name, fault) => {
    expect(nameFault(name)).toContain(fault);
    expect(() => safeName(name, (found) => new RangeError(found))).toThrow(RangeError);
  });

  it('may be part of a path below a folder', () => {
    expect(safePath('data/train-0.parquet', Error)).toBe('data/train-0.parquet');
    for (const path of ['/a', 'a//b', 'a/../b', 'a/', '', 'a/./b', 'a\\..\\b', undefined]) {
      expect(() => safePath(path, (fault) => new RangeError(fault))).toThrow(RangeError);
    }
  });
});
