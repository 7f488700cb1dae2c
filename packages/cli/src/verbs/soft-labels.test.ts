// Rows with the probability of their label, from votes of people to a trained model.
import { writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';
import { tinyChat, train } from '../testing/short-runs.ts';

const lines = (rows: readonly unknown[]): string =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join('');

const voted = ['red', 'blue', 'green', 'black'].map((colour, at) => ({
  ...{ prompt: 'Which colour?', response_1: 'I cannot tell.', response_2: `It is ${colour}.` },
  labels: { first: 2, second: at % 2 === 0 ? 2 : 1, third: at === 3 ? 0 : 2 },
}));
// 1, 2/3, 1, and one vote for each with a tie.
const probabilities = [1, 2 / 3, 1, 0.5];
const pairs = voted.map(({ prompt, response_1, response_2 }, at) => ({
  ...{ prompt, chosen: response_2, rejected: response_1 },
  label_probability: [1, 0.25, 0.75, 0.5][at],
}));
const short = ['--model', tinyChat, '--precision', 'fp32', '--batch-size', '2'];
const twoSteps = [...short, '--max-steps', '2', '--json'];

let folder: TemporaryFolder;
beforeAll(() => {
  folder = new TemporaryFolder();
  writeFileSync(folder.file('votes.jsonl'), lines(voted));
  writeFileSync(folder.file('pairs.jsonl'), lines(pairs));
  return () => folder[Symbol.dispose]();
});

test('votes become pairs with probabilities, which keel dpo and keel reward train on', async () => {
  const output = folder.file('voted.jsonl');
  const converted = await keel([
    ...['data', 'convert', folder.file('votes.jsonl'), '--output', output, '--json'],
  ]);
  expect(converted.code, converted.stderr).toBe(0);
  expect(jsonLines(converted.stdout)).toMatchObject([{ format: 'human-votes', written: 4 }]);
  const shown = await keel([
    ...['tokens', '--model', tinyChat, '--data', output, '--for', 'dpo', '--rows', '4', '--json'],
  ]);
  expect(jsonLines(shown.stdout).map((row) => row.label_probability)).toEqual(probabilities);
  for (const verb of ['dpo', 'reward']) {
    using own = new TemporaryFolder();
    const args = ['--data', output, '--eval-data', output, ...twoSteps];
    const trained = await train(verb, own, args);
    expect(trained.code, trained.stderr).toBe(0);
    const events = jsonLines(trained.stdout);
    const facts = { rows: 4, even: 1, against: 0 };
    expect(events.find(({ type }) => type === 'plan')).toMatchObject({ labels: facts });
    const { label_certainty: certainty } = events.find(({ type }) => type === 'data')!;
    expect(certainty).toBeCloseTo((1 + 2 / 3 + 1 + 0.5) / 4, 12);
  }
});

test('keel kto trains on labelled answers with probabilities', async () => {
  const output = folder.file('thumbs.jsonl');
  const args = ['data', 'map', folder.file('pairs.jsonl'), '--to', 'kto', '--output', output];
  const mapped = await keel(args);
  expect(mapped.code, mapped.stderr).toBe(0);
  using own = new TemporaryFolder();
  const loss = ['--loss', 'apo_zero_unpaired'];
  const trained = await train('kto', own, ['--data', output, ...loss, ...twoSteps]);
  expect(trained.code, trained.stderr).toBe(0);
  expect(jsonLines(trained.stdout).find(({ type }) => type === 'plan')).toMatchObject({
    labels: { rows: 8, against: 0, even: 2 },
  });
});

test('keel data check shows how the probabilities are distributed', async () => {
  const args = ['data', 'check', folder.file('pairs.jsonl'), '--model', 'none'];
  const json = await keel([...args, '--json']);
  expect(jsonLines(json.stdout)[0]).toMatchObject({
    training: {
      probabilities: {
        ...{ rows: 4, against: 1, even: 1, min: 0.25, max: 1 },
        ...{ mean: 0.625, certainty: 0.75 },
      },
    },
  });
  const { code, stdout } = await keel(args);
  expect(code, stdout).toBe(0);
  expect(stdout).toMatch(/label_probability in 4 of 4 rows.*0\.75/);
  expect(stdout).toMatch(/0\.2 to 0\.3 +█+ 1$/m);
});

describe('keel score', () => {
  const scored = async (...args: string[]) => {
    const found = await keel(['score', '--data', folder.file('pairs.jsonl'), ...args]);
    expect(found.code, found.stderr).toBe(0);
    return found.stdout;
  };
  const model = ['--model', tinyChat, '--precision', 'fp32'];

  test('compares with the more probable answer', async () => {
    const rows = jsonLines(await scored(...model, '--json'));
    expect(rows.map((row) => row.label_probability)).toEqual([1, 0.25, 0.75, 0.5]);
    const hits = rows.map(({ logp_chosen: chosen, logp_rejected: rejected }, at) => {
      const direction = Math.sign((pairs[at]!.label_probability as number) - 0.5);
      return (1 + Math.sign(((chosen as number) - (rejected as number)) * direction)) / 2;
    });
    const right = hits.reduce((sum, hit) => sum + hit, 0);
    expect(await scored(...model)).toContain(`in ${right} of 4 rows`);
  });

  test('also with a reward: an even pair is half right', async () => {
    // The reward prefers every chosen answer: right, wrong, right and undecided.
    const reward = ['--reward', 'regex:/^It is/'];
    expect(await scored(...reward)).toContain('62.5% of 4 pairs');
    const rows = jsonLines(await scored(...reward, '--json'));
    expect(rows.map((row) => row.label_probability)).toEqual([1, 0.25, 0.75, 0.5]);
  });
});

test.each([
  ['1.5', '1.5'],
  ['-0.01', '-0.01'],
  ['"0.7"', '0.7'],
  ['[0.7]', 'label_probability'],
])('a probability of %s is an error with its place, for every verb', async (p, shown) => {
  const path = folder.file('bad.jsonl');
  const row = JSON.stringify({ prompt: 'q', chosen: 'a', rejected: 'b', label_probability: 0 });
  writeFileSync(path, row.replace(':0}', `:${p}}`));
  for (const verb of ['dpo', 'reward']) {
    using own = new TemporaryFolder();
    const { code, stderr } = await train(verb, own, ['--data', path, ...twoSteps]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/bad\.jsonl:1.*"label_probability"/s);
    expect(stderr).toContain(shown);
  }
});

test('NaN, which is not JSON, is an error with its place', async () => {
  const path = folder.file('nan.jsonl');
  writeFileSync(path, '{"prompt": "q", "chosen": "a", "rejected": "b", "label_probability": NaN}');
  using own = new TemporaryFolder();
  const { code, stderr } = await train('dpo', own, ['--data', path, ...twoSteps]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/nan\.jsonl:1.*NaN/s);
});

test('other verbs and objectives refuse the field by name', async () => {
  using own = new TemporaryFolder();
  const data = folder.file('pairs.jsonl');
  const cpo = await train('dpo', own, ['--data', data, '--loss', 'cpo', ...twoSteps]);
  expect(cpo.code).toBe(1);
  expect(cpo.stderr).toMatch(/pairs\.jsonl:2.*"label_probability".*cpo/s);
  const columns = ['--columns', 'completion=chosen'];
  const sft = await train('sft', own, ['--data', data, ...columns, ...twoSteps]);
  expect(sft.code).toBe(1);
  expect(sft.stderr).toMatch(/pairs\.jsonl:2.*"label_probability"/s);
  const compared = await keel([
    ...['compare', '--objectives', 'dpo,cpo', '--data', data, '--eval-data', data],
    ...['--output', own.file('compare'), '--model', tinyChat, '--max-steps', '1'],
  ]);
  expect(compared.code).toBe(1);
  expect(compared.stderr).toMatch(/cpo.*pairs\.jsonl:2.*"label_probability"/s);
});
