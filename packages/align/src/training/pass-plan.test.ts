import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { activationBytes, addLora, type LanguageModel } from '@keel/model';
import { freeMemory, type Tensor } from '@keel/torch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTiny, writeTinyChatModel } from '../testing/tiny-chat-model.ts';
import { type PassOptions, planPasses } from './pass-plan.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-plan-'));
let model: LanguageModel;
let parameters: Map<string, Tensor>;
beforeAll(async () => {
  model = await loadTiny(writeTinyChatModel(folder), 'float32');
  const options = { rank: 2, alpha: 4, targets: 'all-linear', seed: 1 } as const;
  parameters = addLora(model.decoder, 'policy', options);
});
afterAll(() => {
  model.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const auto: PassOptions = {
  microBatchSize: null,
  microBatchTokens: 'auto',
  gradientCheckpointing: 'auto',
};
function plan(own: Partial<PassOptions>, more: { began?: number | null; free?: number } = {}) {
  const notices: string[] = [];
  const trained = { model, role: 'policy', parameters };
  return { ...planPasses(trained, { ...auto, ...own }, (one) => notices.push(one), more), notices };
}
/** Free memory that allows the activations of this many tokens. */
function freeFor(tokens: number): number {
  const elements = [...parameters.values()].reduce((sum, { size }) => sum + size, 0);
  const { held } = activationBytes(model.decoder, 'policy');
  return 12 * elements + 2048 * model.decoder.config.vocabularySize + 2 * tokens * held;
}

describe('tokens of a pass', () => {
  it('stay modest if memory is plentiful', () => {
    const { limit, notices } = plan({}, { free: 1e12 });
    expect(limit).toEqual({ rows: null, tokens: 1024 });
    expect(notices).toEqual([
      expect.stringMatching(
        /^passes of at most 1024 tokens \(--micro-batch-tokens auto\): a token takes about \d+ kB, and 1000\.0 GB are free$/,
      ),
    ]);
    expect(freeMemory()).toBeGreaterThan(0);
    expect(plan({}).limit.tokens).toBeLessThanOrEqual(1024);
  });

  it('are fewer if memory is short, down to a minimum', () => {
    expect(plan({}, { free: freeFor(600) }).limit.tokens).toBe(600);
    expect(plan({}, { free: freeFor(10) }).limit.tokens).toBe(256);
    expect(plan({}, { free: 0 }).limit.tokens).toBe(256);
    const again = plan({ gradientCheckpointing: 'on' }, { free: freeFor(300) });
    const { held, checkpointed } = activationBytes(model.decoder, 'policy');
    expect(again.limit.tokens).toBe(Math.floor((300 * held) / checkpointed));
  });

  it('are as requested, or as when the run was started', () => {
    expect(plan({ microBatchTokens: 77 }, { free: 0 })).toMatchObject({
      limit: { rows: null, tokens: 77 },
      notices: [],
    });
    expect(plan({ microBatchSize: 3, microBatchTokens: null })).toMatchObject({
      limit: { rows: 3, tokens: null },
      notices: [],
    });
    expect(plan({}, { began: 512, free: 0 })).toMatchObject({
      limit: { rows: null, tokens: 512 },
      notices: [expect.stringMatching(/^passes of at most 512 tokens, as /)],
    });
  });
});

it('warns if a resumed run is given other passes', () => {
  const sentence = (from: string, to: string): string =>
    expect.stringMatching(`by ${from}, now by ${to}: .*not bit for bit`);
  const began = (tokens: number | null, own: Partial<PassOptions>) =>
    plan(own, { began: tokens, free: 0 }).notices;
  expect(began(512, { microBatchTokens: 99 })).toEqual([sentence('512 tokens', '99 tokens')]);
  expect(began(512, { microBatchSize: 2, microBatchTokens: null })).toEqual([
    sentence('512 tokens', 'rows'),
  ]);
  expect(began(99, { microBatchTokens: 99 })).toEqual([]);
  expect(began(null, { microBatchSize: 2, microBatchTokens: null })).toEqual([]);
});

describe('activations', () => {
  it('are recomputed if they do not fit, with one notice', () => {
    const { recomputes, notices } = plan({ microBatchTokens: 100 }, { free: freeFor(500) });
    expect([recomputes(100), recomputes(499)]).toEqual([false, false]);
    expect(notices).toEqual([]);
    expect([recomputes(502), recomputes(900)]).toEqual([true, true]);
    expect(notices).toEqual([
      expect.stringMatching(/^activations of a pass of 502 tokens .*--gradient-checkpointing off/),
    ]);
  });

  it.each([
    ['on', true],
    ['off', false],
  ] as const)('%s: whatever memory is free', (gradientCheckpointing, expected) => {
    for (const free of [0, 1e12]) {
      expect(plan({ gradientCheckpointing }, { free }).recomputes(1000)).toBe(expected);
    }
  });
});
