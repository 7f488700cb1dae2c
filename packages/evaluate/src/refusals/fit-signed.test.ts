import { fitLogistic } from '@keel/statistics';
import { expect, test } from 'vitest';
import { fitSigned } from './fit-signed.ts';

const rows = Array.from({ length: 60 }, (_, index) => {
  const features = [Math.sin(index), Math.cos(3 * index), (index % 7) / 7];
  const eta = 2 * features[0]! - features[1]! + 0.5 * features[2]!;
  return { features, label: Number(eta + Math.sin(11 * index) > 0) };
});

test('without signs it is ridge regression', () => {
  const { weights, bias } = fitSigned(rows, [0, 0, 0], 0.5);
  const { parameters } = fitLogistic(
    rows.map(({ features, label }) => ({
      features: [...features, 1].map((value, place) => [place, value] as const),
      label,
      weight: 1,
    })),
    4,
    { penalties: [0.5, 0.5, 0.5, 0] },
  );
  for (const [place, value] of [...weights, bias].entries()) {
    expect(value).toBeCloseTo(parameters[place]!, 6);
  }
});

test('weights have their signs, and one of the right sign is unchanged by it', () => {
  const free = fitSigned(rows, [0, 0, 0], 0.5).weights;
  expect(free[0]).toBeGreaterThan(0);
  expect(free[1]).toBeLessThan(0);
  const right = fitSigned(rows, [1, -1, 1], 0.5).weights;
  for (const [place, value] of right.entries()) expect(value).toBeCloseTo(free[place]!, 6);
  const wrong = fitSigned(rows, [-1, 1, 0], 0.5).weights;
  expect(wrong.slice(0, 2)).toEqual([0, 0]);
});
