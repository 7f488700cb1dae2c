import { expect, it } from 'vitest';
import { fuzz } from './fuzz.ts';
import { targets } from './targets.ts';

it('reads damaged files of every format, or rejects them with an error that names them', async () => {
  const files = targets.map(({ name, file, json = false }) => ({ name, file, json }));
  const { inputs, failures } = await fuzz({ seed: 11, count: 400, targets: files });
  expect(failures).toEqual([]);
  expect(inputs).toBe(400);
});
