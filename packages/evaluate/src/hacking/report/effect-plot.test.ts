import { pairedEffect } from '@keel/statistics';
import { expect, it } from 'vitest';
import { effectPlot } from './effect-plot.ts';

it("draws the table's interval of a change, in standard deviations", () => {
  const before = [0, 1, 0, 2, 1, 0, 3, 1];
  const after = [1, 1, 2, 2, 0, 1, 9, 1];
  const effect = pairedEffect(before, after);
  const svg = String(effectPlot([{ ...effect, label: 'words', kind: 'changed' }])?.text);
  const [, low, high] = /<line class="changed" x1="([\d.]+)" x2="([\d.]+)"/.exec(svg)!;
  const zero = Number(/<line class="zero" x1="([\d.]+)"/.exec(svg)![1]);
  const point = Number(/<circle class="changed" cx="([\d.]+)"/.exec(svg)![1]);
  const drawn = [low, high].map((end) => (Number(end) - zero) / (point - zero));
  const expected = effect.interval!.map((end) => end / effect.difference);
  for (const end of [0, 1]) expect(drawn[end]).toBeCloseTo(expected[end]!, 1);
});
