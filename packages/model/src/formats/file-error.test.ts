import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FileError, fileError } from './file-error.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-fault-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function faultOfReading(path: string): FileError {
  try {
    readFileSync(path);
  } catch (error) {
    const fault = fileError(error, { path, use: 'read' });
    if (fault instanceof FileError) return fault;
    throw error;
  }
  throw new Error(`${path} can be read`);
}

test('a missing relative path is named with the place that was looked at', () => {
  const path = relative('.', join(folder, 'rows.jsonl'));
  const fault = faultOfReading(path);
  expect(fault).toMatchObject({ code: 'ENOENT', path, use: 'read' });
  expect(fault.message).toContain(resolve(path));
  const whole = faultOfReading(resolve(path)).message;
  expect(whole.split(resolve(path))).toHaveLength(2);
});

test('a path below a file names the file', () => {
  const file = join(folder, 'a');
  writeFileSync(file, '');
  const fault = faultOfReading(join(file, 'b', 'c'));
  expect(fault.code).toBe('ENOTDIR');
  expect(fault.reason).toContain(`${file} `);
});
