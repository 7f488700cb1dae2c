import { expect, test } from 'vitest';
import { parseRewardSpec } from './read-reward-spec.ts';

const faults = (text: string): string[] => {
  try {
    parseRewardSpec(text, 'r.yaml');
  } catch (error) {
    return (error as Error).message.split('\n');
  }
  return [];
};

test('a composition with its defaults', () => {
  const spec = parseRewardSpec(
    `rewards:
  - {type: regex, name: format, pattern: '^A', weight: 2, clip: [0, 1]}
  - {type: length, target: 50, normalise: running}
constraints:
  - {reward: format, at_least: 0.9}
`,
    'r.yaml',
  );
  expect(spec.rewards[0]).toMatchObject({ mode: 'match', weight: 2, normalise: 'none' });
  expect(spec.rewards[1]).toMatchObject({ unit: 'characters', weight: 1, clip: null });
  expect(spec.constraints[0]).toMatchObject({ learning_rate: 0.05, initial: 0, maximum: null });
});

test('values are read as options are', () => {
  const spec = parseRewardSpec(
    `rewards:
  - {type: regex, name: 1, pattern: 42, weight: 1_0, clip: none}
  - {type: code, concurrency: None, limits: {wall_seconds: 1e1}}
  - {type: model, path: [007, null_model], normalise: null}
constraints:
  - {reward: code, at_least: 5e-1, maximum: none}
`,
    'r.yaml',
  );
  expect(spec.rewards).toMatchObject([
    { name: '1', pattern: '42', weight: 10, clip: null },
    { concurrency: null, limits: { wall_seconds: 10 } },
    { path: ['007', 'null_model'], normalise: 'none' },
  ]);
  expect(spec.constraints).toMatchObject([{ at_least: 0.5, maximum: null }]);
});

test('a single reward, and JSON', () => {
  const alone = parseRewardSpec('{"type": "code", "limits": {"wall_seconds": 3}}', 'r.json');
  expect(alone.rewards[0]).toMatchObject({
    type: 'code',
    command: 'python3',
    limits: { wall_seconds: 3, processes: 16 },
  });
});

test('faults have their place and a suggestion', () => {
  expect(
    faults(`rewards:
  - type: regx
    pattern: 'x'
  - type: length
    unit: wrods
    maxx: 4
  - type: code
    limits:
      wal_seconds: 3
      processes: many
constraint: []
`),
  ).toEqual([
    'r.yaml:2:5: type: found "regx"; did you mean "regex"? Expected one of model, function, regex, length, penalty, code, judge',
    'r.yaml:5:5: unit: found "wrods"; did you mean "words"? Expected one of characters, words, tokens',
    'r.yaml:6:5: unknown key "maxx"; did you mean "max"?',
    'r.yaml:10:7: processes: expected number, found "many"',
    'r.yaml:9:7: unknown key "wal_seconds"; did you mean "wall_seconds"?',
    'r.yaml:11:1: unknown key "constraint"; did you mean "constraints"?',
  ]);
  expect(faults('type: regex\npatern: x\n')).toEqual([
    'r.yaml:1:1: "pattern" is missing: expected string',
    'r.yaml:2:1: unknown key "patern"; did you mean "pattern"?',
  ]);
  expect(faults('type: regex\npattern: "("\n')).toEqual([
    expect.stringContaining('r.yaml:2:1: pattern: Invalid regular expression'),
  ]);
  expect(faults('- 1')).toEqual([expect.stringContaining('r.yaml:1:1: expected a reward')]);
  expect(faults('a: [')).toEqual([expect.stringContaining('not valid YAML')]);
});
