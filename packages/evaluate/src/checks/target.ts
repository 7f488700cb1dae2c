import { exactJson } from '@keel/model/exact-json';
import { CheckError, type CheckedRow } from './check.ts';

/** The right answers of a row as texts. @throws CheckError if it has none */
export function targetsOf({ target }: CheckedRow): string[] {
  const targets = (Array.isArray(target) ? target : [target]).filter(
    (one) => one !== undefined && one !== null,
  );
  if (targets.length === 0) {
    throw new CheckError('target', 'the row has no right answer to compare with');
  }
  return targets.map((one) => {
    if (['string', 'number', 'bigint', 'boolean'].includes(typeof one)) return String(one);
    throw new CheckError('target', `expected a text or number, found ${exactJson(one)}`);
  });
}
