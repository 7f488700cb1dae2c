import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@keel/align/config';
import { expect, test } from 'vitest';
import { writeWorldResults } from '../report/write-world.ts';
import { bestOfNPolicy, exactKl, expected, tiltedPolicy } from './closed-policies.ts';

const prompts = [
  { probabilities: [0.5, 0.3, 0.2], gold: [0, 1, -2], proxies: { flattery: [0, 1, 3] } },
  { probabilities: [0.25, 0.25, 0.5], gold: [1, 0, 2], proxies: { flattery: [2, 0.5, 0.5] } },
];

function inFolder<Value>(text: string, use: (path: string) => Value): Value {
  const folder = mkdtempSync(join(tmpdir(), 'keel-world-'));
  try {
    const path = join(folder, 'world.yaml');
    writeFileSync(path, text);
    return use(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a file of a world gives curves whose proxy, gold and KL are exact to 1e-12', () => {
  const text = JSON.stringify({ world: prompts, best_of_n: [4, 1, 2], betas: [0.5, 2] });
  const { analysis, report } = inFolder(text, (path) => {
    const { analysis, files } = writeWorldResults(path, join(path, '..', 'out'));
    return { analysis, report: readFileSync(files.report, 'utf8') };
  });
  const mean = (of: (prompt: (typeof prompts)[number]) => number): number =>
    prompts.reduce((sum, one) => sum + of(one) / prompts.length, 0);
  const unit = (of: 'gold' | 'proxy'): number => {
    const values = (one: (typeof prompts)[number]) =>
      of === 'gold' ? one.gold : one.proxies.flattery;
    const first = mean((one) => expected(one.probabilities, values(one)));
    const second = mean((one) =>
      expected(
        one.probabilities,
        values(one).map((value) => (value - first) ** 2),
      ),
    );
    return Math.sqrt(second);
  };
  const [bestOfN, rl] = analysis.curves;
  expect(bestOfN!.points.map(({ at }) => at)).toEqual([1, 2, 4]);
  expect(rl!.points.map(({ at }) => at)).toEqual([Number.POSITIVE_INFINITY, 2, 0.5]);
  for (const curve of [bestOfN!, rl!]) {
    for (const { at, kl, proxy, gold } of curve.points) {
      const policy = ({ probabilities, proxies }: (typeof prompts)[number]): number[] => {
        const world = { probabilities, proxy: proxies.flattery };
        return curve.method === 'rl' ? tiltedPolicy(world, at) : bestOfNPolicy(world, at);
      };
      const rise = (values: (one: (typeof prompts)[number]) => number[]): number =>
        mean(
          (one) => expected(policy(one), values(one)) - expected(one.probabilities, values(one)),
        );
      expect(Math.abs(kl - mean((one) => exactKl(policy(one), one.probabilities)))).toBeLessThan(
        1e-12,
      );
      expect(Math.abs(gold.value * unit('gold') - rise((one) => one.gold))).toBeLessThan(1e-12);
      expect(
        Math.abs(proxy.value * unit('proxy') - rise((one) => one.proxies.flattery)),
      ).toBeLessThan(1e-12);
    }
  }
  expect(report).toContain('KL and rewards are exact');
});

test('faults have their places', () => {
  const text = `world:
  - probabilities: [0.5, 0.4]
    gold: [1, 2, 3]
    proxies:
      p: [0, 1]
  - probabilities: [0.5, 0.5]
    gold: [1, 2]
    proxies:
      q: [0, 1]
`;
  const fault = inFolder(text, (path) => {
    try {
      writeWorldResults(path, null);
    } catch (error) {
      return error;
    }
    return null;
  });
  expect(fault).toBeInstanceOf(ConfigError);
  const { problems } = fault as ConfigError;
  expect(problems).toHaveLength(3);
  expect(problems[0]).toMatch(/world\.yaml:2:\d+: expected a sum of 1, found 0\.9/);
  expect(problems[1]).toMatch(/world\.yaml:3:\d+: gold: expected 2 rewards/);
  expect(problems[2]).toMatch(/world\.yaml:\d+:\d+: proxies: every prompt needs the same/);
});
