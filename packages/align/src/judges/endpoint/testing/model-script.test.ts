import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchBuilder, generateAll, type LanguageModel, loadModel } from '@keel/model';
import { noGrad, tidy } from '@keel/torch';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeTinyChatModel } from '../../../testing/tiny-chat-model.ts';
import { type EndpointClient, openEndpoint } from '../endpoint-client.ts';
import { modelScript } from './model-script.ts';
import { openScriptedEndpoint, type ScriptedEndpoint } from './scripted-endpoint.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-endpoint-'));
let model: LanguageModel;
let endpoint: ScriptedEndpoint;
beforeAll(async () => {
  model = await loadModel(writeTinyChatModel(folder), { precision: 'fp32', device: 'cpu' });
  endpoint = await openScriptedEndpoint(modelScript(model));
});
afterAll(async () => {
  await endpoint[Symbol.asyncDispose]();
  model.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const open = (maxTokens: number): EndpointClient =>
  openEndpoint(
    { model: 'tiny', base_url: endpoint.url, max_tokens: maxTokens },
    { environment: {} },
  );

const messages = [{ role: 'user', content: 'hello world' }];
const promptOf = (): number[] =>
  model.tokenizer.encode(
    model.tokenizer.chatTemplate!.render(messages, { addGenerationPrompt: true }),
  );

it('answers as the model does, with its log-probabilities', async () => {
  const prompt = promptOf();
  const options = { temperature: 0, maxNewTokens: 12, logprobs: true };
  const [expected] = await generateAll(model, [prompt], options);
  const found = await open(12).complete(messages, { logprobs: true });
  expect(found.text).toBe(expected!.text);
  expect(found.usage).toEqual({ prompt: prompt.length, answer: expected!.tokens.length });
  expect(found.finish).toBe(expected!.finishReason);
  expect(found.tokens!.map(({ token }) => token).join('')).toBe(found.text);
  found.tokens!.forEach(({ logprob, top }, index) => {
    expect(logprob).toBeCloseTo(expected!.logprobs![index]!, 5);
    expect(top).toHaveLength(20);
    expect(top[0]!.logprob).toBeCloseTo(logprob, 5);
  });
});

it('lists the probabilities of other tokens', async () => {
  const prompt = promptOf();
  const { tokens } = await open(1).complete(messages, { logprobs: true });
  const { top } = tokens![0]!;
  const builder = new BatchBuilder();
  builder.add(prompt);
  const logprobs = tidy(() =>
    noGrad(() => {
      const logits = model.decoder.logits(model.hidden(builder.build())); // [T, V]
      return logits.logSoftmax(-1).toArray();
    }),
  ) as number[];
  const best = logprobs
    .slice(-model.decoder.config.vocabularySize)
    .toSorted((one, other) => other - one);
  top.forEach(({ logprob }, index) => void expect(logprob).toBeCloseTo(best[index]!, 4));
});

it('refuses a prompt that is too long, and JSON schemas', async () => {
  const long = [{ role: 'user', content: 'day '.repeat(2000) }];
  await expect(open(1).complete(long)).rejects.toMatchObject({ code: 'too-long' });
  const schema = { name: 'x', schema: {} };
  const insisting = open(1).complete(messages, { schema, insist: ['schema'] });
  await expect(insisting).rejects.toMatchObject({ code: 'unsupported' });
});
