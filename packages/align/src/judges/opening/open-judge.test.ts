import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exactJson } from '@keel/model/exact-json';
import { afterAll, describe, expect, test } from 'vitest';
import { writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import { type CachedJudge, withCache } from '../cache/with-cache.ts';
import type { Judge, PairVerdict } from '../judge.ts';
import { noUsage } from '../judgements.ts';
import { judgeKinds } from './judge-kinds.ts';
import { openJudgeOf } from './open-judge.ts';
import { readJudge } from './read-judge-spec.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-open-judge-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const written = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const faults = (text: string): string[] => {
  try {
    readJudge(written('judge.yaml', text), judgeKinds);
  } catch (error) {
    return (error as Error).message.replaceAll(folder, '').split('\n');
  }
  return [];
};
const pair = { prompt: 'hello', answers: ['day', 'wo wo'] as const, extra: {} };
const options = { precision: 'fp32', device: 'cpu' } as const;

describe('a spec', () => {
  test('has values of the types that its keys have', () => {
    const path = written(
      'typed.yaml',
      `type: model
model: m
ties: no
scale: 0-10
chat_template_kwargs: {enable_thinking: false, depth: 2, style: "3"}
criteria:
  - name: kind
    description: is it kind?
    weight: 2.5
    examples: [{prompt: 1, answer: 2, score: 7}]
examples:
  - {prompt: a, answers: [b, c], better: 2}
`,
    );
    expect(readJudge(path, judgeKinds)).toMatchObject({
      folder,
      spec: {
        ties: false,
        scale: { from: 0, to: 10 },
        chat_template_kwargs: { enable_thinking: false, depth: 2, style: '3' },
        criteria: [{ weight: 2.5, examples: [{ prompt: '1', answer: '2', score: 7 }] }],
        examples: [{ answers: ['b', 'c'], better: 2 }],
      },
    });
  });

  test('has on and off, and numbers, where values may be of any type', () => {
    const of = (variables: string) => {
      const text = `type: model\nmodel: m\nchat_template_kwargs: ${variables}\n`;
      return readJudge(written('any.yaml', text), judgeKinds);
    };
    expect(of('{enable_thinking: off, at: [.5, "off"]}')).toMatchObject({
      spec: { chat_template_kwargs: { enable_thinking: false, at: [0.5, 'off'] } },
    });
    const { spec } = of('{from: 1.0, id: 12345678901234567890, last: {b: 1}}');
    expect(exactJson('chat_template_kwargs' in spec && spec.chat_template_kwargs)).toBe(
      '{"from":1.0,"id":12345678901234567890,"last":{"b":1}}',
    );
    expect(() => of('{at: [1, 0x10]}')).toThrow(/any\.yaml:3:.*"0x10"/);
  });

  test('has the place of each fault', () => {
    expect(faults('type: modle\nmodel: m\n')).toEqual([
      expect.stringMatching(/judge\.yaml:1:1: .*"modle".*model/),
    ]);
    const found = faults(`type: model
scale: 5-1
ties: perhaps
criterions: []
criteria:
  - name: a
    description: b
    wieght: 2
`);
    expect(found).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/judge\.yaml:1:1: .*"model"/),
        expect.stringMatching(/judge\.yaml:2:1: scale.*"5-1"/),
        expect.stringMatching(/judge\.yaml:3:1: ties.*"perhaps"/),
        expect.stringMatching(/judge\.yaml:4:1: .*"criterions".*"criteria"/),
        expect.stringMatching(/judge\.yaml:8:5: .*"wieght".*"weight"/),
      ]),
    );
    expect(found).toHaveLength(5);
  });

  test('of a panel has the place of a fault in a member', () => {
    const found = faults(`type: panel
judges:
  - type: model
    model: m
    weight: -1
  - type: model
    modell: n
  - {judge: other.yaml, weigth: 2}
`);
    expect(found).toEqual([
      expect.stringMatching(/:5:5: weight.*-1/),
      expect.stringMatching(/:6:5: .*"model"/),
      expect.stringMatching(/:7:5: .*"modell".*"model"/),
      expect.stringMatching(/:8:\d+: .*"weigth".*"weight"/),
    ]);
  });

  test('that is missing or empty is an error', () => {
    expect(faults('')).toEqual([expect.stringContaining('judge.yaml')]);
    expect(() => readJudge(join(folder, 'absent.yaml'), judgeKinds)).toThrow(/absent\.yaml/);
  });
});

describe('a short form', () => {
  test('names a kind', () => {
    expect(readJudge('model:hub:a/b', judgeKinds).spec).toMatchObject({
      ...{ type: 'model', model: 'hub:a/b' },
    });
  });

  test('of no kind is an error with the forms', () => {
    expect(() => readJudge('modell:x', judgeKinds)).toThrow(/modell:x.*model:x/);
    expect(() => readJudge('x', judgeKinds)).toThrow(/x.*\.yaml.*model:NAME/);
    expect(() => readJudge('model:', judgeKinds)).toThrow(/model:.*model/);
  });
});

describe('opening', () => {
  test('a panel of specs and short forms, relative to its file', async () => {
    const own = join(folder, 'own');
    mkdirSync(own);
    const model = writeTinyChatModel(join(own, 'model'));
    const other = writeTinyChatModel(join(folder, 'other'), 2);
    writeFileSync(join(own, 'one.json'), JSON.stringify({ type: 'model', model: './model' }));
    writeFileSync(
      join(own, 'panel.yaml'),
      `type: panel
name: three
judges:
  - one.json
  - {judge: "model:${other}", weight: 2}
  - {type: model, model: model, ties: false, name: strict}
`,
    );
    await using panel = await openJudgeOf(judgeKinds, join(own, 'panel.yaml'), options);
    expect(panel.name).toBe('three');
    const verdict = (await panel.compare!(pair)) as PairVerdict;
    const names = Object.keys(verdict.members!);
    expect(names).toEqual([model, other, 'strict']);
    const [one, two, strict] = names.map((name) => verdict.members![name]!);
    expect(verdict.first).toBeCloseTo((one! + 2 * two! + strict!) / 4, 12);
  });

  test('wraps each judge that is asked: members of a panel, not the panel', async () => {
    const model = writeTinyChatModel(join(folder, 'wrapped'));
    const path = written('two.yaml', `type: panel\njudges: ["model:${model}", "model:${model}"]\n`);
    const wrapped: CachedJudge[] = [];
    const wrap = (judge: Judge): Judge => {
      wrapped.push(withCache(judge, join(folder, 'cache')));
      return wrapped.at(-1)!;
    };
    await using panel = await openJudgeOf(judgeKinds, path, { ...options, wrap });
    expect(wrapped.map(({ name }) => name)).toEqual([model, model]);
    const first = (await panel.compare!(pair)) as PairVerdict;
    expect(first.usage.promptTokens).toBeGreaterThan(0);
    expect(await panel.compare!(pair)).toEqual({ ...first, usage: noUsage });
    expect(wrapped.map(({ counts }) => counts.misses)).toEqual([1, 1]);
  });

  test('reports a member that is not available, or is a panel', async () => {
    const panel = written('panel.yaml', 'type: panel\njudges: ["model:./absent"]\n');
    await expect(openJudgeOf(judgeKinds, panel, options)).rejects.toThrow(/absent/);
    const nested = written('nested.yaml', 'type: panel\njudges: [nested.yaml]\n');
    await expect(openJudgeOf(judgeKinds, nested, options)).rejects.toThrow(/nested\.yaml/);
  });
});
