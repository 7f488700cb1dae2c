import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ChatRequest,
  openScriptedEndpoint,
} from '../judges/endpoint/testing/scripted-endpoint.ts';
import { writeTinyChatModel } from '../testing/tiny-chat-model.ts';
import { OpenSpeakers } from './open-speakers.ts';
import type { ReviseOptions } from './revise-options.ts';
import { runRevise } from './run-revise.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-revise-'));
const inside = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const questions = ['Is it raining?', 'How far is it?', 'Who are you?', 'Why?', 'When is it?'];
beforeAll(() => {
  writeTinyChatModel(inside('model'));
  writeFileSync(
    inside('prompts.jsonl'),
    questions.map((prompt) => `${JSON.stringify({ prompt })}\n`).join(''),
  );
  writeFileSync(
    inside('constitution.yaml'),
    'name: short\nversion: 2\nprinciples:\n  - {id: a, critique: Is it kind?, revision: Be kind.}\n  - {id: b, critique: Is it true?, revision: Be true.}\n',
  );
});

let outputs = 0;
const optionsOf = (own: Partial<ReviseOptions> = {}): ReviseOptions => ({
  ...{ model: inside('model'), adapter: null, precision: 'fp32', device: 'cpu', threads: 1 },
  ...{ data: [inside('prompts.jsonl')], onBadRow: 'fail', critic: null, reviser: null },
  ...{ constitution: inside('constitution.yaml'), examples: null, fewShot: true, rounds: 2 },
  sampling: {
    ...{ maxNewTokens: 8, minNewTokens: 0, temperature: 1, seed: 3 },
    ...{ topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, stopStrings: [] },
  },
  ...{ batchSize: 2, output: inside(`out-${outputs++}`), overwrite: false },
  ...own,
});
const files = ['lineage.jsonl', 'sft.jsonl', 'preferences.jsonl', 'summary.json'];
const bytes = (output: string): string[] =>
  files.map((name) => readFileSync(join(output, name), 'utf8'));
const lines = (output: string, name: string) =>
  readFileSync(join(output, name), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/** Criticises every answer, and revises it to a fixed text with the principle. */
const helpful = ({ messages }: ChatRequest) => {
  const asked = messages.at(-1)!.content;
  return asked.startsWith('Be ')
    ? { text: `Sure! Here is the revised response: A better answer, since it was asked: ${asked}` }
    : { text: `The answer lacks something that was asked for with these words: ${asked}` };
};

/** The spec of an endpoint as a file. */
function specOf(url: string): string {
  const path = inside(`endpoint-${outputs}.yaml`);
  writeFileSync(path, `type: endpoint\nbase_url: ${url}\nmodel: large\nretries: 0\n`);
  return path;
}

describe('keel revise', () => {
  it('writes rows and lineage with an endpoint as critic and reviser', async () => {
    await using endpoint = await openScriptedEndpoint(helpful);
    const options = optionsOf({ critic: specOf(endpoint.url) });
    const { summary, done } = await runRevise(options);
    expect(done).toBe(5);
    const lineage = lines(options.output, 'lineage.jsonl');
    expect(lineage.map(({ row }) => row)).toEqual([0, 1, 2, 3, 4]);
    const answered = lineage.filter(({ failed }) => failed === undefined);
    expect(answered.length).toBeGreaterThan(2);
    for (const { rounds, final, prompt, row, constitution } of answered) {
      expect(rounds.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
        'revised',
        'revised',
      ]);
      expect(new Set(rounds.map(({ principle }: { principle: string }) => principle))).toEqual(
        new Set(['a', 'b']),
      );
      expect(final).toMatch(/^A better answer, since it was asked: Be (kind|true)\.$/);
      expect(prompt).toEqual([{ role: 'user', content: questions[row] }]);
      expect(constitution).toBe('short 2');
      expect(rounds[0].critic).toContain('large at http://');
    }
    const supervised = lines(options.output, 'sft.jsonl');
    expect(supervised).toEqual(
      answered.map(({ row, prompt, final }) => ({
        ...{ row, prompt },
        completion: [{ role: 'assistant', content: final }],
      })),
    );
    const preferences = lines(options.output, 'preferences.jsonl');
    expect(preferences[0]).toMatchObject({
      chosen: [{ role: 'assistant', content: answered[0].final }],
      rejected: [{ role: 'assistant', content: answered[0].answer }],
    });
    expect(summary).toMatchObject({
      ...{ prompts: 5, supervised: supervised.length, preferences: preferences.length },
      rounds: { revised: 2 * answered.length, 'no critique': 0 },
    });
    expect(existsSync(join(options.output, 'lineage.jsonl.partial'))).toBe(false);
  });

  it('resumes to the byte after it was stopped at any chunk', async () => {
    await using endpoint = await openScriptedEndpoint(helpful);
    const critic = specOf(endpoint.url);
    const whole = optionsOf({ critic });
    await runRevise(whole);
    for (const chunks of [1, 2]) {
      const own = optionsOf({ critic });
      const controller = new AbortController();
      const stopped = await runRevise(own, {
        signal: controller.signal,
        onProgress: ({ prompts }) => prompts >= 2 * chunks && controller.abort(),
      });
      expect(stopped).toMatchObject({ interrupted: true, done: 2 * chunks, summary: null });
      expect(existsSync(join(own.output, 'lineage.jsonl'))).toBe(false);
      const notices: string[] = [];
      await runRevise(own, { onNotice: (text) => notices.push(text) });
      expect(notices.join()).toContain(`after ${2 * chunks} prompts`);
      expect(bytes(own.output)).toEqual(bytes(whole.output));
    }
  });

  it('is the same again with the model itself as critic, and needs few answers of use', async () => {
    const [one, two] = [optionsOf(), optionsOf()];
    const { summary } = await runRevise(one);
    await runRevise(two);
    expect(bytes(one.output)).toEqual(bytes(two.output));
    const all = Object.values(summary!.rounds).reduce((sum, count) => sum + count, 0);
    const failed = Object.values(summary!.failed).reduce((sum, count) => sum + count, 0);
    expect(all).toBe(2 * (5 - failed));
    expect(lines(one.output, 'lineage.jsonl')[0].policy).toBe(inside('model'));
  });

  it('passes template variables on, counts what a template rejects, and refuses what it would lose', async () => {
    await using endpoint = await openScriptedEndpoint(helpful);
    const critic = specOf(endpoint.url);
    const row = (own: object): string => {
      const path = inside(`own-${outputs++}.jsonl`);
      const prompt = [{ role: 'user', content: questions[0] }];
      writeFileSync(path, `${JSON.stringify({ prompt, ...own })}\n`);
      return path;
    };
    const own = { chat_template_kwargs: { deep: true } };
    const options = optionsOf({ critic, data: [row(own)], rounds: 1 });
    await runRevise(options);
    for (const name of ['sft.jsonl', 'preferences.jsonl', 'lineage.jsonl']) {
      expect(lines(options.output, name)[0]).toMatchObject(own);
    }
    // The template of this model renders no tools.
    const tools = optionsOf({ critic, data: [row({ tools: [{ name: 'f' }] })], rounds: 1 });
    const { summary } = await runRevise(tools);
    expect(Object.keys(summary!.failed)).toEqual([expect.stringContaining('tools')]);
    expect(lines(tools.output, 'lineage.jsonl')[0].tools).toEqual([{ name: 'f' }]);
    const beside = row({ context: 'Oslo beat Bergen.' });
    await expect(runRevise(optionsOf({ critic, data: [beside] }))).rejects.toThrow(/context/);
    const begun = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Sure!' },
    ];
    const opening = runRevise(optionsOf({ critic, data: [row({ prompt: begun })] }));
    await expect(opening).rejects.toThrow(/prompt/);
  });

  it('uses only so many prompts', async () => {
    await using endpoint = await openScriptedEndpoint(helpful);
    const options = optionsOf({ critic: specOf(endpoint.url), rounds: 1, limit: 3 });
    const { done, summary } = await runRevise(options);
    expect([done, summary!.prompts]).toEqual([3, 3]);
    expect(lines(options.output, 'lineage.jsonl').map(({ row }) => row)).toEqual([0, 1, 2]);
  });

  it('carries the other columns of rows, and notes what it leaves out of them and of answers', async () => {
    await using endpoint = await openScriptedEndpoint(helpful);
    const path = inside(`columns-${outputs++}.jsonl`);
    const own = { id: 12, weight: 1, category: 'travel', answer: '4' };
    const rows = questions.map((prompt) => ({
      prompt,
      ...own,
      chosen: 'x',
      thinking: 'A, then B.',
    }));
    writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const options = optionsOf({ critic: specOf(endpoint.url), data: [path], rounds: 1 });
    options.sampling = { ...options.sampling, maxNewTokens: 64 };
    const notices: string[] = [];
    const { summary } = await runRevise(options, { onNotice: (text) => notices.push(text) });
    for (const name of ['sft.jsonl', 'preferences.jsonl']) {
      const written = lines(options.output, name);
      expect(written.length).toBeGreaterThan(0);
      for (const row of written) {
        expect(row).toMatchObject(own);
        expect(row).not.toHaveProperty('thinking');
        expect(name === 'sft.jsonl' && 'chosen' in row).toBe(false);
      }
    }
    expect(notices.filter((text) => text.includes('that their text leaves out'))).toHaveLength(1);
    expect(notices).toContainEqual(expect.stringMatching(/without their fields chosen, thinking/));
    const preferences = lines(options.output, 'preferences.jsonl');
    expect(summary!.cutOff).toBe(
      preferences.filter(({ rejected_finish_reason: reason }) => reason === 'length').length,
    );
  });

  it('opens an endpoint that criticises and revises once, so that it has one budget', async () => {
    using owned = new DisposableStack();
    const open = new OpenSpeakers(optionsOf(), { device: 'cpu', precision: 'fp32' }, owned);
    const spec = specOf('http://localhost:1/v1');
    expect(await open.other(spec, undefined)).toBe(await open.other(spec, undefined));
  });

  it('counts what the endpoint refuses, and goes on', async () => {
    await using endpoint = await openScriptedEndpoint((request) =>
      request.messages.some(({ content }) => content === questions[0])
        ? { status: 400, body: { error: { code: 'content_filter', message: 'content policy' } } }
        : helpful(request),
    );
    const options = optionsOf({ critic: specOf(endpoint.url), rounds: 1 });
    const { summary } = await runRevise(options);
    const dropped = Object.entries(summary!.dropped);
    expect(dropped).toEqual([[expect.stringMatching(/^no critique: .*content policy/s), 1]]);
    expect(lines(options.output, 'sft.jsonl').map(({ row }) => row)).not.toContain(0);
  });

  it('saves finished prompts if the endpoint fails', async () => {
    let broken = true;
    await using endpoint = await openScriptedEndpoint((request, index) =>
      broken && index >= 8 ? { status: 401, body: 'no key' } : helpful(request),
    );
    const options = optionsOf({ critic: specOf(endpoint.url) });
    await expect(runRevise(options)).rejects.toThrow(/large at http/);
    broken = false;
    const { summary } = await runRevise(options);
    expect(summary!.prompts).toBe(5);
  });

  it('refuses other settings, an existing result and a constitution for judges', async () => {
    const options = optionsOf({ rounds: 1 });
    const controller = new AbortController();
    await runRevise(options, {
      signal: controller.signal,
      onProgress: ({ prompts }) => prompts >= 2 && controller.abort(),
    });
    await expect(runRevise({ ...options, rounds: 2 })).rejects.toThrow(/--rounds .* 1 to 2/);
    await runRevise(options);
    await expect(runRevise(options)).rejects.toThrow(/--overwrite/);
    await runRevise({ ...options, overwrite: true });
    writeFileSync(inside('judges.json'), '["Which is kinder?"]');
    const judges = optionsOf({ constitution: inside('judges.json') });
    await expect(runRevise(judges)).rejects.toThrow(/judges\.json/);
  });

  it('reports its plan and writes nothing with dryRun', async () => {
    const options = optionsOf({ dryRun: true });
    let plan: unknown;
    await runRevise(options, { onPlan: (one) => (plan = one) });
    expect(plan).toMatchObject({
      ...{ prompts: 5, done: 0, rounds: 2, critic: inside('model'), reviser: inside('model') },
      constitution: { name: 'short', version: '2', principles: 2, examples: 0 },
    });
    expect(existsSync(options.output)).toBe(false);
  });
});
