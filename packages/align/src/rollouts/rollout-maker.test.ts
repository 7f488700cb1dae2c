import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setThreads } from '@keel/torch';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { settingsOf } from '../methods/online/fixtures/settings-of.ts';
import { batchOf, tinyOnline } from '../methods/online/fixtures/tiny-online.ts';
import { writeTinyChatModel } from '../testing/tiny-chat-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-maker-'));
beforeAll(() => void writeTinyChatModel(folder));
// Tiny tensors: a second thread would only wait.
setThreads(1);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("ReMax takes the reward of the prompt's greedy answer off", async () => {
  const settings = settingsOf.remax({ beta: 0, numGenerations: 2 });
  const seen: number[] = [];
  using online = await tinyOnline(folder, {
    settings: { ...settings, epochs: 2 },
    reward: ({ tokens }) => {
      seen.push(tokens!);
      return tokens!;
    },
  });
  await online.task.step();
  const { layout, numbers } = batchOf(online);
  // Four prompts, two answers each; the four greedy ones are judged after them.
  expect(seen).toHaveLength(12);
  layout.groups.forEach((group, sequence) => {
    const expected = layout.lengthOf(sequence) - seen[8 + group]!;
    expect(numbers.advantages[layout.offsets[sequence]!]).toBe(expected);
  });
});
