import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { styleOf } from './battles/answer-style.ts';
import { type RatingOptions, rateBattles } from './rate-battles.ts';
import { checkRatingFiles, writeRatingFiles } from './ratings-files.ts';
import { ratingsJson } from './ratings-json.ts';
import { type BattleReading, readBattles } from './read-battles.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-rating-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function fileOf(rows: readonly unknown[], ending = 'jsonl'): string {
  const path = join(folder, `${files++}.${ending}`);
  const text =
    ending === 'json'
      ? JSON.stringify(rows)
      : rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  writeFileSync(path, ending.endsWith('.gz') ? gzipSync(text) : text);
  return path;
}

function textFile(name: string, text: string): string {
  const path = join(folder, `${files++}-${name}`);
  writeFileSync(path, text);
  return path;
}

const read = (paths: readonly string[], changes: Partial<BattleReading> = {}) =>
  readBattles({
    ...{ files: paths, columns: null, onBadRow: 'fail', only: [], exclude: [], by: null },
    ...{ cluster: 'prompt', styleControl: false },
    ...changes,
  });

const options: RatingOptions = {
  ...{ anchor: null, intervals: 'sandwich', resamples: 100, seed: 1, balancePairs: null },
  ...{ prior: null, elo: null, next: 1 },
};

/** Battles of a table as [a, b, outcome, weight]. */
async function battlesOf(rows: readonly unknown[], changes: Partial<BattleReading> = {}) {
  const { table, formats, skipped } = await read([fileOf(rows)], changes);
  const { a, b, outcome, weight } = table.columns();
  return {
    format: Object.keys(formats),
    skipped,
    battles: [...a].map((one, at) => [
      ...[table.names[one], table.names[b[at]!], outcome[at], weight[at]],
    ]),
  };
}

const chat = (prompt: string, answer: string) => [
  { role: 'user', content: prompt },
  { role: 'assistant', content: answer },
];

describe('formats', () => {
  it("FastChat's battles and those of the later release", async () => {
    const rows = ['model_a', 'model_b', 'tie', 'tie (bothbad)', 'both_bad'].map((winner) => ({
      ...{ model_a: 'x', model_b: 'y', winner, judge: 'arena_user_1', turn: 1, anony: true },
      ...{ conversation_a: chat('Hi', 'A'), conversation_b: chat('Hi', 'B') },
    }));
    expect(await battlesOf(rows)).toEqual({
      format: ['arena'],
      skipped: {},
      battles: [1, 0, 0.5, 0.5, 0.5].map((outcome) => ['x', 'y', outcome, 1]),
    });
    expect((await read([fileOf(rows, 'json')])).clusters).toBe(1);
  });

  it('rows of Kaggle', async () => {
    const row = (a: number, b: number, tie: number) => ({
      ...{ id: 1, model_a: 'x', model_b: 'y', prompt: '["Hi"]', response_a: '["A"]' },
      ...{ response_b: '["B"]', winner_model_a: a, winner_model_b: b, winner_tie: tie },
    });
    const { format, battles } = await battlesOf([row(1, 0, 0), row(0, 1, 0), row(0, 0, 1)]);
    expect(format).toEqual(['arena-kaggle']);
    expect(battles.map(([, , outcome]) => outcome)).toEqual([1, 0, 0.5]);
    await expect(battlesOf([row(1, 1, 0)])).rejects.toThrow(/:1: .*"winner_tie"/);
  });

  it('votes in the log of an arena, anonymous or not; other lines are counted', async () => {
    const states = [
      {
        model_name: 'x',
        messages: [
          ['user', 'Hi'],
          ['assistant', 'A'],
        ],
      },
      {
        model_name: 'y',
        messages: [
          ['user', 'Hi'],
          ['assistant', 'B'],
          ['user', null],
        ],
      },
    ];
    const row = (type: string, models: readonly string[]) => ({ tstamp: 1, type, models, states });
    const { format, battles, skipped } = await battlesOf([
      row('leftvote', ['', '']),
      row('rightvote', ['x', 'y']),
      row('tievote', ['', '']),
      row('bothbad_vote', ['', '']),
      row('share', ['', '']),
      row('leftvote', ['x', 'x']),
    ]);
    expect(format).toEqual(['arena-votes']);
    expect(battles.map(([a, b, outcome]) => [a, b, outcome])).toEqual(
      [1, 0, 0.5, 0.5].map((outcome) => ['x', 'y', outcome]),
    );
    expect(Object.values(skipped)).toEqual([1, 1]);
    await expect(
      battlesOf([{ type: 'leftvote', models: ['', ''], states: [{}, {}] }]),
    ).rejects.toThrow(/:1: .*models\[0\]/);
  });

  it('verdicts of keel judge; failed ones are counted', async () => {
    const row = { row: 0, prompt: 'p', model_a: 'x', model_b: 'y', tie: 0, failed: null };
    const { format, battles, skipped } = await battlesOf([
      { ...row, preference_b: 0.75, judge: 'j' },
      { ...row, preference_b: 1.0 },
      { ...row, preference_b: null, failed: 'no label' },
    ]);
    expect(format).toEqual(['verdicts']);
    expect(battles).toEqual([
      ['x', 'y', 0.25, 1],
      ['x', 'y', 0, 1],
    ]);
    expect(Object.values(skipped)).toEqual([1]);
    await expect(battlesOf([{ ...row, preference_b: 1.5 }])).rejects.toThrow(
      /:1: .*"preference_b".*1\.5/,
    );
  });

  it("alpaca_eval's annotations: 1 to 2, or 0 for a tie", async () => {
    const row = { instruction: 'p', output_1: 'A', generator_1: 'base', output_2: 'B' };
    const rows = [1.0, 2.0, 1.25, 0, 1.5, null].map((preference) => ({
      ...row,
      ...{ generator_2: 'y', annotator: 'gpt', preference },
    }));
    const { format, battles, skipped } = await battlesOf(rows);
    expect(format).toEqual(['alpaca_eval']);
    expect(battles.map(([, , outcome]) => outcome)).toEqual([1, 0, 0.75, 0.5, 0.5]);
    expect(Object.values(skipped)).toEqual([1]);
    await expect(battlesOf([{ ...rows[0], preference: 0.5 }])).rejects.toThrow(
      /"preference".*0\.5/,
    );
  });

  it("people's labels: each one a battle, clustered by the prompt", async () => {
    const rows = [
      { prompt: 'p', model_1: 'x', model_2: 'y', labels: { ann: 1, bob: 2, cat: 0 } },
      { prompt: 'p', model_1: 'y', model_2: 'x', labels: { ann: 1, bob: null } },
      { prompt: 'q', model_1: 'x', model_2: 'y', label: 2 },
    ];
    const { table, judges, clusters } = await read([fileOf(rows)]);
    expect([...table.columns().outcome]).toEqual([1, 0, 0.5, 1, 0]);
    expect([...table.columns().cluster]).toEqual([0, 0, 0, 0, 1]);
    expect(judges).toEqual({ ann: 2, bob: 1, cat: 1 });
    expect(clusters).toBe(2);
    await expect(read([fileOf([{ ...rows[0], labels: { ann: 1, bob: 3 } }])])).rejects.toThrow(
      /:1: .*labels\.bob.*3/,
    );
    const byPerson = await read([fileOf(rows)], { only: ['judge=ann'] });
    expect([...byPerson.table.columns().outcome]).toEqual([1, 1]);
  });

  it('a label in CSV is a vote; a truth value is none, in CSV and in JSON', async () => {
    const csv = (labels: readonly string[], name = 'label') => {
      const lines = labels.map((label) => `p,x,y,${label}\n`);
      return textFile('labels.csv', `prompt,model_1,model_2,${name}\n${lines.join('')}`);
    };
    const { table, skipped } = await read([csv(['1', '0', '2', '1.0', '', ' '])]);
    expect([...table.columns().outcome]).toEqual([1, 0.5, 0, 1]);
    expect(Object.values(skipped)).toEqual([2]);
    const row = { prompt: 'p', model_1: 'x', model_2: 'y' };
    for (const value of [false, true]) {
      const found = new RegExp(`:[12]: .*"label".*0 for a tie.*${value}`);
      await expect(read([fileOf([{ ...row, label: value }])])).rejects.toThrow(found);
      await expect(read([csv([String(value)])])).rejects.toThrow(found);
      await expect(read([fileOf([{ ...row, labels: { ann: value } }])])).rejects.toThrow(
        /labels\.ann/,
      );
    }
  });

  it('judgements of MT-Bench and Arena-Hard', async () => {
    const mt = { question_id: 1, model_1: 'x', model_2: 'y' };
    const games = [
      ['model_1', 'model_1', 1],
      ['model_1', 'model_2', 0.5],
      ['tie', 'model_2', 0.5],
      ['model_2', 'model_2', 0],
    ] as const;
    const found = await battlesOf(
      games.map(([g1, g2]) => ({ ...mt, g1_winner: g1, g2_winner: g2 })),
    );
    expect(found.format).toEqual(['mt-bench']);
    expect(found.battles.map(([, , outcome]) => outcome)).toEqual(games.map(([, , one]) => one));
    const hard = { uid: 'u', judge: 'j', model: 'm', baseline: 'base' };
    expect(await battlesOf([{ ...hard, games: [{ score: 'A>>B' }, { score: 'A>B' }] }])).toEqual({
      format: ['arena-hard'],
      skipped: {},
      battles: [
        ['base', 'm', 1, 3],
        ['m', 'base', 1, 1],
      ],
    });
  });

  it('CSV with own column names and weights', async () => {
    const path = textFile('votes.csv', 'left,right,vote,weight\nx,y,model_a,2\ny,x,tie,1\n');
    const { table } = await read([path], {
      columns: ['model_a=left', 'model_b=right', 'winner=vote'],
    });
    expect([...table.columns().outcome]).toEqual([1, 0.5]);
    expect([...table.columns().weight]).toEqual([2, 1]);
  });

  it('a column that no row has is an error', async () => {
    const path = fileOf([{ model_a: 'x', model_b: 'y', winner: 'tie' }]);
    await expect(read([path], { columns: ['model_a=left'] })).rejects.toThrow(
      /"left".*--columns model_a=left/,
    );
  });

  it('files of several formats, packed ones too', async () => {
    const { formats, table } = await read([
      fileOf([{ model_a: 'x', model_b: 'y', winner: 'model_a' }], 'jsonl.gz'),
      fileOf([{ model_a: 'x', model_b: 'y', preference_b: 0.5 }]),
    ]);
    expect(Object.keys(formats)).toEqual(['arena', 'verdicts']);
    expect(table.length).toBe(2);
  });
});

describe('rows', () => {
  const good = { model_a: 'x', model_b: 'y', winner: 'tie' };

  it.each([
    ['an unknown winner', { ...good, winner: 'x' }, /:2: .*"winner".*both_bad.*"x"/],
    ['a model against itself', { ...good, model_b: 'x' }, /:2: .*"model_b".*"x"/],
    ['no name', { ...good, model_a: '' }, /:2: .*"model_a".*empty/],
    ['a weight of 0', { ...good, weight: 0 }, /:2: .*"weight".*0/],
    ['no object', 3, /:2: .*3/],
  ])('%s is an error with its place, or skipped and counted', async (_, bad, message) => {
    const path = fileOf([good, bad, good]);
    await expect(read([path])).rejects.toThrow(message);
    const { table, badRows, firstBadRow } = await read([path], { onBadRow: 'skip' });
    expect([table.length, badRows]).toEqual([2, 1]);
    expect(firstBadRow).toMatch(message);
  });

  it('of no known format name the columns that they have', async () => {
    await expect(read([fileOf([{ prompt: 'p', chosen: 'c' }])])).rejects.toThrow(
      /:1: .*model_a.*generator_1.*prompt, chosen/s,
    );
  });

  it('are selected by columns, also inside objects, and by models', async () => {
    const rows = [
      { ...good, tag: { math: true } },
      { ...good, tag: { math: false } },
      { ...good, model_b: 'z' },
    ];
    const path = fileOf(rows);
    expect((await read([path], { only: ['tag.math=true'] })).table.length).toBe(1);
    expect((await read([path], { exclude: ['z'] })).table.names).toEqual(['x', 'y']);
    await expect(read([path], { only: ['tag.maths=true'] })).rejects.toThrow(/--only/);
    await expect(read([path], { by: 'colour' })).rejects.toThrow(/"colour".*--by/);
    await expect(read([path], { cluster: 'colour' })).rejects.toThrow(/"colour".*--cluster/);
    await expect(read([path], { exclude: ['q'] })).rejects.toThrow(/q.*--exclude.*x, .*z/);
    await expect(read([path], { exclude: ['x', 'z'] })).rejects.toThrow(/3 .*--exclude/);
  });

  it('need answers for style control', async () => {
    await expect(read([fileOf([good])], { styleControl: true })).rejects.toThrow(
      /:1: .*--style-control/,
    );
  });
});

describe('style', () => {
  it('counts Markdown outside of code', () => {
    const text = '# One\n\n- a\n- **b**\n1. c\n\n```\n# no\n- no **no**\n```\n__d__ 3 * 4';
    expect(styleOf(text)).toEqual({ length: text.length, headers: 1, lists: 3, bold: 2 });
  });

  it("reads the counts of lmarena's rows, and those of answers otherwise", async () => {
    const side = (name: string, tokens: number, headers: number) => ({
      [`sum_assistant_${name}_tokens`]: tokens,
      [`header_count_${name}`]: { h1: headers, h2: 1 },
      [`list_count_${name}`]: { ordered: 1, unordered: 2 },
      [`bold_count_${name}`]: { '**': 0, __: 0 },
    });
    const battle = { model_a: 'x', model_b: 'y', winner: 'model_a' };
    const path = fileOf([
      { ...battle, conv_metadata: { ...side('a', 30, 2), ...side('b', 10, 0) } },
      { ...battle, conversation_a: chat('p', 'four'), conversation_b: chat('p', '# t') },
    ]);
    const { table } = await read([path], { styleControl: true });
    const weights = new Float64Array(2).fill(1);
    const { values } = table.logisticData(weights);
    const features = [values.subarray(2, 6), values.subarray(8, 12)].map((one) => [...one]);
    expect(features).toEqual([
      [20 / 41, 2 / 5, 0, 0],
      [1 / 8, -1 / 2, 0, 0],
    ]);
  });
});

describe('ratings from files', () => {
  const url = new URL('../../../../test/golden/evaluation/ratings.json', import.meta.url);
  interface Golden {
    battles: object[];
    bradley_terry: Record<string, { rating: number; lower: number; upper: number }>;
    bradley_terry_reweighted: Golden['bradley_terry'];
    elo: Record<string, number>;
  }
  const golden = JSON.parse(readFileSync(url, 'utf8')) as Golden;

  it.each([
    ['all alike', null, golden.bradley_terry],
    ['pairs balanced', 50, golden.bradley_terry_reweighted],
  ])('are those of arena-rank: %s', async (_, balancePairs, expected) => {
    const battles = await read([fileOf(golden.battles)]);
    const { overall, elo } = rateBattles(battles, { ...options, balancePairs, elo: 4 });
    expect(overall.ratings).toHaveLength(Object.keys(expected).length);
    for (const { name, rating, interval } of overall.ratings) {
      expect(Math.abs(rating / expected[name]!.rating - 1), name).toBeLessThan(1e-6);
      expect(Math.abs(interval[0] / expected[name]!.lower - 1), name).toBeLessThan(3e-4);
      expect(Math.abs(interval[1] / expected[name]!.upper - 1), name).toBeLessThan(3e-4);
      expect(elo!.get(name)).toBeCloseTo(golden.elo[name]!, 9);
    }
  });

  it("are those of the 22 games of Wikipedia's article, in a CSV file", async () => {
    const wins = { A: { B: 2, D: 1 }, B: { A: 3, C: 5 }, C: { B: 3, D: 1 }, D: { A: 4, C: 3 } };
    const lines = Object.entries(wins).flatMap(([a, row]) =>
      Object.entries(row).flatMap(([b, n]) => Array.from({ length: n }, () => `${a},${b},model_a`)),
    );
    const path = textFile('games.csv', ['model_a,model_b,winner', ...lines, ''].join('\n'));
    const battles = await read([path]);
    const { overall, pairs } = rateBattles(battles, options);
    expect(overall.ratings.map(({ name }) => name)).toEqual(['D', 'B', 'C', 'A']);
    const expected = [1142.4392, 1007.3661, 927.7676, 922.4271];
    for (const [index, { rating }] of overall.ratings.entries())
      expect(rating).toBeCloseTo(expected[index]!, 3);
    expect(pairs.battles.flat().reduce((sum, count) => sum + count, 0)).toBe(2 * 22);
    expect(pairs.wins[0]![3]).toBe(4);
  });

  it('have an anchor, and those of a category that lacks it have the mean', async () => {
    const rows = [
      ...['model_a', 'model_b', 'tie'].flatMap((winner) => [
        { model_a: 'x', model_b: 'y', winner, category: 'one' },
        { model_a: 'y', model_b: 'z', winner, category: 'two' },
      ]),
      { model_a: 'x', model_b: 'w', winner: 'model_a', category: 'three' },
      { model_a: 'w', model_b: 'z', winner: 'model_a' },
    ];
    const battles = await read([fileOf(rows)], { by: 'category' });
    const rated = rateBattles(battles, { ...options, anchor: { name: 'x', rating: 500 } });
    const of = (name: string) => rated.categories.find((one) => one.name === name)!;
    expect(rated.overall.ratings.find(({ name }) => name === 'x')!.rating).toBe(500);
    expect(of('one').ratings!.ratings.map(({ rating }) => rating)).toEqual([500, 500]);
    expect(of('two').ratings!.ratings.map(({ rating }) => rating)).toEqual([1000, 1000]);
    expect(of('three')).toMatchObject({ battles: 1, ratings: null });
    expect(of('three').why).toMatch(/x won|w lost/);
    expect(of('(none)').battles).toBe(1);
  });

  it('without a maximum name the models and the options that help', async () => {
    const battles = await read([
      fileOf([
        { model_a: 'best', model_b: 'x', winner: 'model_a' },
        { model_a: 'x', model_b: 'y', winner: 'tie' },
      ]),
    ]);
    expect(() => rateBattles(battles, options)).toThrow(/best won.*--exclude.*--prior/);
    const { overall } = rateBattles(battles, { ...options, prior: 400 });
    expect(overall.ratings[0]!.name).toBe('best');
  });

  it('are written as JSON, CSV and an escaped report that needs no network', async () => {
    const evil = '<script>alert(1)</script>, "x"';
    const rows = ['model_a', 'model_b', 'tie'].map((winner) => ({
      ...{ model_a: evil, model_b: 'y', winner, prompt: 'p', category: '<b>c</b>' },
    }));
    const battles = await read([fileOf(rows)], { by: 'category' });
    const results = rateBattles(battles, { ...options, elo: 4, next: 2 });
    const input = { read: battles, options, results };
    const output = join(folder, 'out');
    const written = writeRatingFiles(output, input, 'npx keel rate');
    expect(JSON.parse(readFileSync(written.json, 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(ratingsJson(input))),
    );
    const csv = readFileSync(written.csv, 'utf8').trim().split('\n');
    expect(csv).toHaveLength(5);
    expect(csv[1]).toContain('"<script>alert(1)</script>, ""x"""');
    const report = readFileSync(written.report, 'utf8');
    expect(report).not.toContain('<script>alert');
    expect(report).not.toContain('<b>c</b>');
    expect(report).toContain('&lt;script&gt;alert(1)');
    expect(report).not.toMatch(/(src|href)="http/);
    expect(() => checkRatingFiles(output, false)).toThrow(/ratings\.json/);
    expect(() => checkRatingFiles(output, true)).not.toThrow();
  });

  it('stop when a signal is aborted', async () => {
    const stopping = new AbortController();
    stopping.abort(new Error('stop'));
    const path = fileOf([{ model_a: 'x', model_b: 'y', winner: 'tie' }]);
    const reading: BattleReading = {
      ...{ files: [path], columns: null, onBadRow: 'fail', only: [], exclude: [], by: null },
      ...{ cluster: null, styleControl: false },
    };
    await expect(readBattles(reading, { signal: stopping.signal })).rejects.toThrow('stop');
  });
});
