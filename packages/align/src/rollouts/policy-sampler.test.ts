import { expect, it } from 'vitest';
import { PolicySampler, type SamplerParts } from './policy-sampler.ts';
import type { PlacedPrompt } from './prompt-source.ts';

const sampling = {
  ...{ samplesPerPrompt: 1, maxNewTokens: 2, temperature: 1, topK: null, topP: 1, batchSize: 4 },
};
const batch = (): PlacedPrompt[] => [{ row: 0, tokens: [7] }] as unknown as PlacedPrompt[];

/** A sampler with a server whose answers are these tokens. */
function served(tokens: number[] = [7]) {
  const seen = { published: [] as unknown[], seeds: [] as number[], released: 0 };
  const notices: string[] = [];
  const tokenizer = {
    specialTokenIds: new Set([3]),
    endOfTurnIds: new Set([2]),
    idToToken: (id: number) => `<${id}>`,
    streamDecoder: () => ({ push: (token: number) => `<${token}>`, end: () => '' }),
  };
  const servers = {
    async publish(what: unknown) {
      seen.published.push(what);
      return {};
    },
    async sample(prompts: unknown[], _: unknown, { seed }: { seed: number }) {
      seen.seeds.push(seed);
      return prompts.map(() => [{ tokens, ended: true, logprobs: [0] }]);
    },
    release() {
      seen.released += 1;
    },
  };
  const parts = {
    ...{ model: { tokenizer }, role: 'policy', servers, version: () => 5 },
    notice: (text: string) => void notices.push(text),
  };
  return { sampler: new PolicySampler(parts as unknown as SamplerParts), seen, notices };
}

it('waits for answers that were started ahead, if they are to the same prompts', async () => {
  const { sampler, seen } = served();
  const prompts = batch();
  await sampler.startAhead(prompts, sampling, 11, { version: 4, weights: 'frozen' });
  const other = await sampler.sample(batch(), sampling, 12);
  const ahead = await sampler.sample(prompts, sampling, 11);
  expect([other, ahead].map((one) => sampler.stalenessOf(one))).toEqual([0, 1]);
  expect(seen.seeds).toEqual([11, 12]);
  // They are used once.
  await sampler.sample(prompts, sampling, 13);
  expect(seen).toMatchObject({ seeds: [11, 12, 13], released: 3 });
  expect(seen.published[0]).toMatchObject({ role: 'policy', version: 4, from: 'frozen' });
});

it('asks servers for the current version of the policy, and for one of other roles', async () => {
  const { sampler, seen } = served();
  await sampler.sample(batch(), sampling, 1);
  await sampler.sampleAs('reference', batch(), sampling, 1);
  expect(seen.published).toMatchObject([
    { role: 'policy', version: 5 },
    { role: 'reference', version: 0 },
  ]);
  const { samples, prompts } = await sampler.sample(batch(), sampling, 1);
  expect(sampler.stalenessOf({ samples, prompts })).toBe(undefined);
});

it('reports once that answers of the policy have tokens that their text lacks', async () => {
  const { sampler, notices } = served([7, 3, 2]);
  await sampler.sampleAs('reference', batch(), sampling, 1);
  expect(notices).toEqual([]);
  await sampler.sample(batch(), sampling, 1);
  await sampler.sample(batch(), sampling, 2);
  expect(notices).toHaveLength(1);
  expect(notices[0]).toMatch(/such as <3>/);
});
