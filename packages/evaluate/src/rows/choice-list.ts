import { DataError } from '@keel/align';
import { exactJson, PythonFloat } from '@keel/model/exact-json';
import { pythonRepr } from '@keel/model/without-torch';
import type { Doc } from './docs.ts';

/** A list of at least two texts that are not empty. @throws DataError */
export function choiceList(value: unknown, { place }: Doc, field: string): string[] {
  const texts = Array.isArray(value)
    ? value.map((one) => (isNumber(one) ? pythonRepr(one) : one))
    : null;
  if (texts === null || texts.length < 2 || !texts.every((one) => typeof one === 'string')) {
    const found = exactJson(value) ?? 'nothing';
    throw new DataError({ ...place, field, expected: 'a list of at least two choices', found });
  }
  const empty = texts.indexOf('');
  if (empty >= 0) {
    throw new DataError({ ...place, field: `${field}[${empty}]`, found: 'an empty choice' });
  }
  return texts as string[];
}

const isNumber = (value: unknown): boolean =>
  typeof value === 'number' || typeof value === 'bigint' || value instanceof PythonFloat;
