import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AnswerRating, NoVerdict, PairVerdict } from '@keel/align/judges';
import { afterAll, describe, expect, test } from 'vitest';
import { openJudge } from './open-judge.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-judges-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const written = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const pair = { prompt: 'p', answers: ['short', 'a longer answer'] as const, extra: {} };

describe('a reward as judge', () => {
  test('gives the higher score the verdict, and equal scores a tie', async () => {
    await using judge = await openJudge('reward:length:-10');
    const verdict = (await judge.compare!(pair)) as PairVerdict;
    expect(verdict).toMatchObject({ first: 1, tie: 0 });
    expect(judge.seesOrder).toBe(false);
    const same = await judge.compare!({ ...pair, answers: ['abc', 'abd'] });
    expect(same).toMatchObject({ first: 0.5, tie: 1 });
    const { score } = (await judge.rate!({ ...pair, answer: 'short' })) as AnswerRating;
    expect(verdict.why).toContain(String(score));
  });

  test('can compare by the sigmoid of the difference', async () => {
    const module = written('reward.ts', 'export default ({ text }) => text.length / 10;');
    const spec = written(
      'sigmoid.yaml',
      'type: reward\nreward: reward.ts\ncompare_by: sigmoid\nname: lengths\n',
    );
    await using judge = await openJudge(spec);
    expect(judge.name).toBe('lengths');
    expect(module).toContain(folder);
    const verdict = (await judge.compare!(pair)) as PairVerdict;
    expect(verdict.first).toBeCloseTo(1 / (1 + Math.exp(1)), 12);
    expect(verdict.tie).toBe(0);
  });

  test('has no verdict on what the reward does not score, or fails on', async () => {
    written(
      'picky.ts',
      `export default ({ text }) => {
        if (text === 'bad') throw new Error('cannot read it');
        return text === 'none' ? { score: null, note: 'not a text' } : 1;
      };`,
    );
    await using judge = await openJudge(`reward:${join(folder, 'picky.ts')}`);
    const none = await judge.compare!({ ...pair, answers: ['good', 'none'] });
    expect((none as NoVerdict).failed).toMatch(/not a text/);
    const bad = await judge.rate!({ ...pair, answer: 'bad' });
    expect((bad as NoVerdict).failed).toMatch(/cannot read it/);
  });
});

describe('opening', () => {
  test('functions, programs and panels of them', async () => {
    const module = written(
      'judges.ts',
      'export const longer = (p, a, b) => Number(a.length > b.length);',
    );
    written(
      'judge.cjs',
      `require('node:readline').createInterface({ input: process.stdin }).on('line', (line) =>
        console.log(JSON.stringify({ id: JSON.parse(line).id, first: 0.25 })));`,
    );
    const panel = written(
      'panel.yaml',
      `type: panel
judges:
  - judges.ts#longer
  - {type: program, command: '"${process.execPath}" judge.cjs', weight: 2, name: quarter}
  - reward:length:-10
`,
    );
    await using judge = await openJudge(panel);
    const verdict = (await judge.compare!(pair)) as PairVerdict;
    expect(verdict.members).toMatchObject({ 'judges.ts#longer': 0, quarter: 0.25 });
    expect(verdict.first).toBeCloseTo((0 + 2 * 0.25 + 1) / 4, 12);
    await using alone = await openJudge(`${module}#longer`);
    expect(await alone.compare!(pair)).toMatchObject({ first: 0 });
  });

  test('reports what is no judge', async () => {
    await expect(openJudge('rewrd:length:-3')).rejects.toThrow(/reward:length:-3/);
    await expect(openJudge('reward:lenght')).rejects.toThrow(/lenght/);
    await expect(openJudge('reward:runs/nope')).rejects.toThrow(/^judge reward:runs\/nope: there/);
    const spec = written('bad.yaml', 'type: program\ncomand: x\n');
    await expect(openJudge(spec)).rejects.toThrow(/bad\.yaml:2:1.*"comand".*"command"/s);
  });
});

describe('what is no judge', () => {
  const rewardFile = (): string =>
    written('a-reward.ts', 'export default ({ text }) => text.length;');
  test.each([
    ['endpoint:', () => 'endpoint:', /endpoint:MODEL/],
    ['a folder', () => folder, /reward:.*model:/],
    ['the name of the default model', () => 'SmolLM2-135M-Instruct', /model:SmolLM2-135M-Instruct/],
    ['a misspelled kind', () => 'rewards:x', /reward:x/],
    ['a file without an ending', () => written('labels', ''), /labels:.*labels/],
    ['a module with a reward', rewardFile, /compare.*reward:.*a-reward\.ts/],
  ])('%s: names what to write', async (_, text, message) => {
    await expect(openJudge(text())).rejects.toThrow(message);
  });
});
