import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generatedText } from '../scripts/generate-ops.ts';

test("the operators match the dispatcher's declarations byte for byte", () => {
  const file = readFileSync(new URL('./ops.generated.ts', import.meta.url), 'utf8');
  expect(generatedText()).toBe(file);
});
