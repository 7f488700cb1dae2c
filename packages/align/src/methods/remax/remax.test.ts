import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setThreads } from '@keel/torch';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import { methodOf } from '../online/fixtures/method-of.ts';
import { batchOf, tinyOnline } from '../online/fixtures/tiny-online.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-maker-'));
beforeAll(() => void writeTinyChatModel(folder));
// Tiny tensors: a second thread would only wait.
setThreads(1);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("ReMax subtracts the reward of the prompt's greedy answer", async () => {
  const method = methodOf.remax({ beta: 0, numGenerations: 2 });
  const seen: number[] = [];
  using online = await tinyOnline(folder, {
    method,
    epochs: 2,
    reward: ({ tokens }) => {
      seen.push(tokens!);
      return tokens!;
    },
  });
  await online.task.step();
  const { rollouts, training } = batchOf(online);
  if (training.kind !== 'advantages') throw new Error('ReMax trains on advantages');
  const { layout } = rollouts;
  // Four prompts, two answers each; the four greedy ones are judged after them.
  expect(seen).toHaveLength(12);
  layout.groups.forEach((group, sequence) => {
    const expected = layout.lengthOf(sequence) - seen[8 + group]!;
    expect(training.advantages[layout.offsets[sequence]!]).toBe(expected);
  });
});
