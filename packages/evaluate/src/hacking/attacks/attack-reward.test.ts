import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Reward, RewardError, UnreadableInputError } from '@keel/align/rewards';
import { expect, test } from 'vitest';
import { attackReward } from './attack-reward.ts';
import { attacks } from './attacks.ts';
import { type RealAnswer, readRealAnswers } from './read-real-answers.ts';

const rows: RealAnswer[] = Array.from({ length: 12 }, (_, at) => ({
  place: `rows.jsonl:${at + 1}`,
  prompt: `How does the machine number ${at} work?`,
  answer: `Machine ${at} turns its wheel. That lifts the ${'heavy '.repeat((at * 5) % 12)}stone.`,
  extra: { right: `Machine ${at} turns` },
}));

const rewardOf = (
  score: (text: string, extra: RealAnswer['extra']) => number | null,
): Pick<Reward, 'name' | 'score'> => ({
  name: 'test',
  score: async (inputs) =>
    inputs.map(({ completion, extra }) => ({ score: score(completion as string, extra) })),
});

const outcomes = async (...given: Parameters<typeof attackReward>) => {
  const { results } = await attackReward(...given);
  return Object.fromEntries(results.map(({ attack, outcome }) => [attack.name, outcome]));
};

test('a reward for length is won by what is longer, and lost by what is shorter', async () => {
  const found = await outcomes(
    rewardOf((text) => text.length),
    rows,
  );
  expect(found).toMatchObject({
    ...{ repeated: 'wins', padded: 'wins', flattered: 'wins', hedged: 'wins', format: 'wins' },
    ...{ empty: 'loses', truncated: 'loses', shuffled: 'level', other: 'level' },
  });
});

test('a reward for words that must be there is level for answers that keep them', async () => {
  const found = await outcomes(
    rewardOf((text, { right }) => Number(text.includes(right as string))),
    rows,
  );
  expect(Object.values(found)).not.toContain('wins');
  expect(found).toMatchObject({ padded: 'level', injected: 'level' });
  expect(found).toMatchObject({ empty: 'loses', praise: 'loses', other: 'loses', echo: 'loses' });
});

test('the share of wins, with ties as halves, its means and its best row', async () => {
  // The real answers have 0, the attack 1 in even rows and 0 in the others.
  const reward = rewardOf((text, { right }) =>
    text === '' ? Number(/[02468] /.test(right as string)) : 0,
  );
  const [empty] = (await attackReward(reward, rows, { names: ['empty'] })).results;
  expect(empty!.wins).toMatchObject({ value: 9 / 12, count: 12 });
  expect(empty).toMatchObject({ score: 0.5, real: 0, unscored: 0, outcome: 'level' });
  expect(empty!.example).toMatchObject({ score: 1, real: 0, attack: '', prompt: rows[0]!.prompt });
});

test('what the reward does not score loses; rows without a score are not counted', async () => {
  const reward = rewardOf((text, { right }) => {
    if (right === 'Machine 0 turns') return null;
    return text === '' ? null : 1;
  });
  const found = await attackReward(reward, rows, { names: ['empty'] });
  expect(found).toMatchObject({ rows: 12, unscored: 1, won: false });
  expect(found.results[0]).toMatchObject({ unscored: 11, outcome: 'loses', score: null, real: 1 });
  await expect(
    attackReward(
      rewardOf(() => null),
      rows,
    ),
  ).rejects.toThrow(RangeError);
  await expect(attackReward(reward, rows, { names: ['no'] })).rejects.toThrow(RangeError);
});

test('an answer that the reward cannot read has no score, and a failure names its row', async () => {
  const failing = (make: (index: number) => RewardError): Pick<Reward, 'name' | 'score'> => ({
    name: 'test',
    async score(inputs) {
      const at = inputs.findIndex(({ completion }) => completion === '');
      if (at >= 0) throw make(at);
      return inputs.map(() => ({ score: 1 }));
    },
  });
  const unreadable = failing((at) => new UnreadableInputError(at, 'is empty'));
  const found = await attackReward(unreadable, rows, { names: ['empty'] });
  expect(found.results[0]).toMatchObject({ unscored: 12, outcome: 'loses' });
  const broken = failing((at) => new RewardError(at, 'broke'));
  await expect(attackReward(broken, rows, { names: ['empty'] })).rejects.toThrow(
    /rows\.jsonl:1.*broke/,
  );
});

test('attacks differ from the answer, or fit no row', () => {
  const long = { row: 3, prompt: 'Why?', answer: 'Warm air rises and cools.', other: 'No.' };
  for (const { name, write } of attacks) {
    const text = write({ ...long, language: 'en' });
    expect(text, name).not.toBeNull();
    expect(text, name).not.toBe(long.answer);
    expect(write({ ...long, language: 'en' }), name).toBe(text);
  }
  const short = { row: 0, prompt: 'Why?', answer: '16', other: null, language: null };
  const none = attacks.filter(({ write }) => write(short) === null).map(({ name }) => name);
  expect(none).toEqual(['other', 'truncated', 'shuffled']);
  const language = attacks.find(({ name }) => name === 'language')!;
  expect(language.write({ ...long, language: 'de' })).not.toBe(
    language.write({ ...long, language: 'en' }),
  );
});

test('real answers: the chosen one, the best rank, a completion, the column of right answers', async () => {
  const path = join(tmpdir(), `keel-real-answers-${process.pid}.jsonl`);
  const read = async (lines: readonly object[]) => {
    writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    const options = { data: [path], onBadRow: 'fail' as const, columns: null, wrapChat: false };
    return (await readRealAnswers({ ...options, limit: 2 })).map(({ answer }) => answer);
  };
  expect(await read([{ prompt: 'p', chosen: 'good', rejected: 'bad' }])).toEqual(['good']);
  expect(await read([{ prompt: 'p', completions: ['b', 'a'], ranking: [2, 1] }])).toEqual(['a']);
  expect(await read([{ prompt: 'p', completion: 'x' }])).toEqual(['x']);
  const sums = [1, 2, 3].map((answer) => ({ prompt: 'p', answer }));
  expect(await read(sums)).toEqual(['1', '2']);
  await expect(read([{ prompt: 'p' }])).rejects.toThrow(/jsonl:1/);
});
