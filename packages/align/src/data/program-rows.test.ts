import { exactJson, PythonFloat } from '@keel/model/exact-json';
import { expect, test } from 'vitest';
import { copyRows } from './program-rows.ts';

test("a program's rows keep integers of any size and whole floats", async () => {
  const given = [{ prompt: 'p', id: 12345678901234567890n, share: new PythonFloat(1) }];
  const { rows } = await copyRows('data', given);
  expect(exactJson(rows)).toBe('[{"prompt":"p","id":12345678901234567890,"share":1.0}]');
  await expect(copyRows('data', [() => 1])).rejects.toThrow(/data.*JSON can express/);
});
