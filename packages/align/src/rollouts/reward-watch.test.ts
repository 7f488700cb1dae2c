import { expect, it } from 'vitest';
import { isReported, RewardWatch, type WatchedRewards } from './reward-watch.ts';

const batch = (rewards: number[], own: Partial<WatchedRewards> = {}): WatchedRewards => ({
  rewards,
  prompts: rewards.map((_, at) => at >> 1),
  aspects: [],
  opened: '',
  ...own,
});

function watching({ withinPrompts = false, components = [] as string[] } = {}) {
  const notices: string[] = [];
  const watch = new RewardWatch({
    ...{ withinPrompts, components },
    notice: (text) => void notices.push(text),
  });
  const observe = (batches: WatchedRewards[]): string[] => {
    for (const one of batches) watch.observe(one);
    return notices;
  };
  return { observe };
}

const times = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);

it('reports streaks at 4, 16, 64, ...', () => {
  const reported = Array.from({ length: 70 }, (_, at) => at + 1).filter(isReported);
  expect(reported).toEqual([4, 16, 64]);
});

it('reports rewards that are equal for several batches in a row', () => {
  const { observe } = watching();
  const equal = batch([0, 0, 0, 0], { opened: '<think>\n' });
  expect(observe([...times(3, equal), batch([0, 1, 0, 0]), ...times(3, equal)])).toEqual([]);
  expect(observe([equal])).toEqual([
    expect.stringMatching(
      /^All rewards were the same \(0\) in the last 4 rollout batches: .* opens "<think>\\n", so/,
    ),
  ]);
});

it('reports rewards that differ only between prompts if they are compared within each', () => {
  const between = times(4, batch([1, 1, 2, 2]));
  expect(watching().observe(between)).toEqual([]);
  expect(watching({ withinPrompts: true }).observe(between)).toEqual([
    expect.stringMatching(/^All rewards of a prompt's answers were the same in the last 4/),
  ]);
});

it('reports a constant part of a composition, unless the sum is constant too', () => {
  const aspects = (second: number) => [
    { format: 0, other: 1 },
    { format: 0, other: second },
  ];
  const { observe } = watching({ components: ['format', 'other'] });
  expect(observe(times(4, batch([1, 2], { aspects: aspects(2) })))).toEqual([
    expect.stringMatching(
      /^The reward "format" gave all answers the same score \(0\) in the last 4/,
    ),
  ]);
  const constant = watching({ components: ['format', 'other'] });
  expect(constant.observe(times(4, batch([1, 1], { aspects: aspects(1) })))).toHaveLength(1);
});

it('ignores single answers', () => {
  expect(watching().observe(times(8, batch([1])))).toEqual([]);
});
