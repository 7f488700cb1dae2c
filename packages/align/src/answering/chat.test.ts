import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateAll } from '@keel/model';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Message } from '../data/messages.ts';
import { fineTune } from '../methods/supervised/run-sft.ts';
import { tinyTemplate, writeTinyChatModel } from '../testing/tiny-chat-model.ts';
import { tinyRun } from '../testing/tiny-run.ts';
import { chat, complete, streamChat, streamComplete } from './chat.ts';
import { type OpenedModel, openModel } from './open-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-chat-'));
let opened: OpenedModel;
beforeAll(async () => {
  opened = await openModel(writeTinyChatModel(join(folder, 'model')), { precision: 'fp32' });
});
afterAll(() => {
  opened[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

const how = { maxNewTokens: 6, temperature: 0 };
const messages: Message[] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Is it raining?' },
];

/** The same answer by the parts below. */
async function answered(model: OpenedModel, chatOf: Message[]): Promise<string> {
  const { tokenizer } = model.model;
  const text = tokenizer.chatTemplate!.render(chatOf, { addGenerationPrompt: true });
  const options = { ...how, adapter: model.adapter };
  const [result] = await generateAll(model.model, [tokenizer.encode(text)], options);
  return result!.text;
}

it('answers messages, or the text of one, in the form of the chat template', async () => {
  expect(await chat(opened, messages, how)).toBe(await answered(opened, messages));
  const [, asked] = messages;
  const alone = await answered(opened, [asked!]);
  expect(await chat(opened.model, 'Is it raining?', how)).toBe(alone);
});

it('continues a text without a template', async () => {
  const tokens = opened.model.tokenizer.encode('It is', { addSpecialTokens: true });
  const [result] = await generateAll(opened.model, [tokens], how);
  expect(await complete(opened, 'It is', how)).toBe(result!.text);
});

it('yields pieces as they are written', async () => {
  const pieces = await Array.fromAsync(streamChat(opened, messages, how));
  expect(pieces.length).toBeGreaterThan(1);
  expect(pieces.join('')).toBe(await chat(opened, messages, how));
  const continued = await Array.fromAsync(streamComplete(opened, 'It is', how));
  expect(continued.join('')).toBe(await complete(opened, 'It is', how));
});

it('starts with what the generation prompt opens of the turn', async () => {
  const chatTemplate = join(folder, 'thinking.jinja');
  writeFileSync(
    chatTemplate,
    `${tinyTemplate}{% if add_generation_prompt %}{{ '<think>\\n' }}{% endif %}`,
  );
  using thinking = await openModel(join(folder, 'model'), { precision: 'fp32', chatTemplate });
  expect(await chat(thinking, messages, how)).toMatch(/^<think>\n/);
});

it('uses the adapter that the model was opened with, or the one that is named', async () => {
  const options = { ...tinyRun, lora: true, loraRank: 2, maxSteps: 2, learningRate: 0.1 };
  const model = join(folder, 'model');
  const run = await fineTune({
    ...{ ...options, model, output: join(folder, 'run') },
    data: [{ prompt: 'Is it raining?', completion: 'no no no no' }],
  });
  using adapted = await openModel(model, { precision: 'fp32', adapter: run.final });
  const own = await chat(adapted, messages, how);
  expect(own).toBe(await answered(adapted, messages));
  const base = await chat(opened, messages, how);
  expect(own).not.toBe(base);
  expect(await chat(adapted, messages, { ...how, adapter: null })).toBe(base);
});

it('reports what cannot be answered', async () => {
  await expect(complete(opened, '', how)).rejects.toThrow(/at least one token/);
  await expect(chat(opened, 'a '.repeat(5000), how)).rejects.toThrow(/at most \d+ tokens/);
  await expect(chat(opened, 'a', { temperature: -1 })).rejects.toBeInstanceOf(RangeError);
  await expect(openModel(join(folder, 'absent'))).rejects.toThrow(/absent/);
});
