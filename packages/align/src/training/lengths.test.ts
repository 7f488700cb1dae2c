import { Tokenizer } from '@keel/model';
import { describe, expect, it } from 'vitest';
import { tinyTokenizerJson } from '../../../model/src/tokenizer/testing/tiny-tokenizer.ts';
import { PairSource } from '../methods/pairs/pair-source.ts';
import { rowsOf, tinyChatTokenizer, tinyRows, tinyTemplate } from '../testing/tiny-chat-model.ts';
import { fittingLength, surveyLengths } from './lengths.ts';

const long = { prompt: 'hello '.repeat(200), chosen: 'a', rejected: 'b', extra: {} };
const sourceOf = (rows: ReturnType<typeof tinyRows>): PairSource =>
  new PairSource(rowsOf(rows), tinyChatTokenizer(), { seed: 1, shuffle: false, maxLength: 200 });

describe('a survey', () => {
  it('counts usable rows without changing the position in the order', async () => {
    const source = sourceOf([long, ...tinyRows(4), long]);
    const notices: string[] = [];
    const report = await surveyLengths(source, { notice: (text) => notices.push(text) });
    expect(source.usable).toBe(4);
    expect(source.state()).toEqual({ epoch: 0, index: 0 });
    expect(notices).toEqual([expect.stringMatching(/^2 of 6 rows of --data /)]);
    report.tell({ all: true });
    expect(notices).toHaveLength(1);
  });

  it('reports which messages and which assistant text the template drops', async () => {
    const forgetful = tinyTemplate.replace(
      'message.content',
      "('' if message.role == 'tool' else message.content.split(';')[-1])",
    );
    const asked = [{ role: 'user', content: 'hello' }];
    const dropped = [...asked, { role: 'tool', content: '1' }];
    const answers = (chosen: string) => ({
      chosen: [{ role: 'assistant', content: chosen }],
      rejected: [{ role: 'assistant', content: 'no' }],
      extra: {},
    });
    const rows = [
      { prompt: asked, ...answers('wo') },
      { prompt: dropped, ...answers('wo') },
      { prompt: dropped, ...answers('a;wo') },
    ];
    const options = { seed: 1, shuffle: false, maxLength: 200 };
    const notices: string[] = [];
    await surveyLengths(new PairSource(rowsOf(rows), tinyChatTokenizer(forgetful), options), {
      notice: (text) => notices.push(text),
    });
    expect(notices).toEqual([
      expect.stringMatching(/^2 of 3 rows of --data: .*\(tool\)/),
      expect.stringMatching(/^1 of 3 rows of --data: .*\(content\)/),
    ]);
  });

  it('of a large dataset reports during the run, each time the count has doubled', async () => {
    const source = sourceOf([...tinyRows(1), long, long, long, long]);
    const notices: string[] = [];
    const report = await surveyLengths(source, {
      notice: (text) => notices.push(text),
      limit: 4,
    });
    expect(notices).toEqual([expect.stringMatching(/^--data has more than 4 rows: .* come up/)]);
    expect(source.usable).toBe(5);
    for (const row of [0, 1, 2, 3, 4]) {
      await source.read([row]);
      report.tell();
    }
    expect(notices.slice(1).map((text) => text.slice(0, 9))).toEqual([
      ...['1 of 5 ro', '2 of 5 ro', '4 of 5 ro'],
    ]);
  });

  it('is skipped if a run uses only a part of many rows', async () => {
    const [row] = tinyRows(1);
    const many = sourceOf(new Array(2_001).fill(row));
    const notices: string[] = [];
    await surveyLengths(many, { notice: (text) => notices.push(text), part: true });
    expect(notices).toEqual([expect.stringMatching(/^--data has more than 2000 rows/)]);
  });

  it('warns once that plain answers have no end if the tokenizer has no end token', async () => {
    const withoutEnd = new Tokenizer({ source: 'tiny', json: tinyTokenizerJson(), config: {} });
    const noticesOf = async (
      rows: ReturnType<typeof tinyRows>,
      tokenizer: Tokenizer,
      option: '--data' | '--eval-data' = '--data',
    ): Promise<string[]> => {
      const options = { seed: 1, shuffle: false, maxLength: 200, option };
      const notices: string[] = [];
      const notice = (text: string): void => void notices.push(text);
      const report = await surveyLengths(new PairSource(rowsOf(rows), tokenizer, options), {
        notice,
      });
      report.tell({ all: true });
      return notices;
    };
    const plain = { prompt: 'hello', chosen: 'a', rejected: 'b', extra: {} };
    expect(await noticesOf([plain, plain], withoutEnd)).toEqual([
      expect.stringMatching(/^--data has plain answers, and no end-of-sequence token follows/),
    ]);
    expect(await noticesOf([plain], withoutEnd, '--eval-data')).toEqual([]);
    expect(await noticesOf([plain], tinyChatTokenizer())).toEqual([]);
  });

  it('ends when the run is stopped', async () => {
    const source = sourceOf([long, long]);
    await surveyLengths(source, { notice: () => {}, signal: AbortSignal.abort() });
    expect(source.usable).toBe(2);
  });
});

it("lowers the default length to the model's positions, but refuses a larger custom one", () => {
  const notices: string[] = [];
  const fit = (length: number | null, positions: number): number | null =>
    fittingLength(length, positions, (text) => notices.push(text));
  expect([fit(null, 10), fit(512, 512), fit(1024, 2048)]).toEqual([null, 512, 1024]);
  expect(notices).toEqual([]);
  expect(fit(1024, 512)).toBe(512);
  expect(notices).toHaveLength(1);
  expect(() => fit(1025, 512)).toThrow(/--max-length 1025 .* 512 tokens/);
});
