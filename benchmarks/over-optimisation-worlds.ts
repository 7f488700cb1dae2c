// Whether the forms of over-optimisation (Gao et al. 2022) describe curves without any noise of
// measurement: worlds in which all answers are known, with proxies that err in different ways.
// Prints a Markdown table and writes the curves as an SVG.
//   node benchmarks/over-optimisation-worlds.ts [--answers 6000] [--plot worlds.svg]
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import {
  analyseLab,
  curvesPlot,
  type LabAnalysis,
  type World,
  worldCurves,
} from '@keel/evaluate/over-optimisation';
import { resamplingRandom } from '@keel/statistics';

const { values } = parseArgs({
  options: {
    answers: { type: 'string', default: '6000' },
    plot: { type: 'string' },
  },
});
const answers = Number(values.answers);

const random = resamplingRandom(7);
const normal = (): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
/** Student's distribution with few degrees of freedom has heavy tails. */
const student = (degrees: number): number => {
  const squares = Array.from({ length: degrees }, normal).reduce((sum, one) => sum + one ** 2, 0);
  return normal() / Math.sqrt(squares / degrees);
};

/** Gold is the quality q, from a standard normal distribution; what the proxy of an answer is. */
const errors = {
  /** Gold keeps rising: the better half of what is selected is real. */
  'normal error': () => {
    const gold = normal();
    return { gold, proxy: gold + normal() };
  },
  /** The highest rewards are errors, so that gold falls back to its mean. */
  'heavy-tailed error': () => {
    const gold = normal();
    return { gold, proxy: gold + student(3) };
  },
  /** One in a hundred answers is bad, and the proxy likes it. */
  'a hack, 1%': () => {
    const hacks = random() < 0.01;
    const gold = hacks ? normal() - 3 : normal();
    return { gold, proxy: hacks ? gold + 6 + normal() : gold + normal() };
  },
  /** The proxy pays for length, which costs quality beyond some point. */
  'length, paid too well': () => {
    const length = normal();
    const gold = normal() + length - 0.4 * length ** 2;
    return { gold, proxy: normal() + 1.5 * length };
  },
} as const;

const best_of_n = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256];
const betas = [32, 16, 12, 8, 6, 5, 4, 3, 2.5, 2, 1.5, 1.2, 1, 0.8, 0.7, 0.6, 0.5, 0.4];

/** KL beyond which RL has found the few highest of the answers, and the world is too small. */
const MOST = 4.6;

function analysed(draw: () => { gold: number; proxy: number }, name: string): LabAnalysis {
  const drawn = Array.from({ length: answers }, draw);
  const world: World = {
    world: [
      {
        probabilities: drawn.map(() => 1 / answers),
        gold: drawn.map(({ gold }) => gold),
        proxies: { [name]: drawn.map(({ proxy }) => proxy) },
      },
    ],
    ...{ best_of_n, betas },
  };
  const curves = worldCurves(world);
  return analyseLab({
    ...curves,
    curves: curves.curves.map((curve) => ({
      ...curve,
      points: curve.points.filter(({ kl }) => kl[0]! <= MOST),
    })),
  });
}

const all = Object.entries(errors).map(([name, draw]) => analysed(draw, name));
const number = (value: number): string => value.toFixed(2);
const rows = all
  .flatMap(({ curves }) => curves)
  .map(({ name, method, fit, residuals, stopping, points }) => {
    const last = points.at(-1)!;
    return [
      ...[name, method === 'rl' ? 'RL' : 'best of n', number(last.kl), number(last.gold.value)],
      ...[number(stopping.kl), number(stopping.gold.value)],
      ...[number(fit!.alpha), number(fit!.beta)],
      ...[fit!.residual, residuals!.other, residuals!.straight].map((one) => one.toFixed(3)),
    ];
  });
const head = [
  ...['proxy', 'by', 'KL at the end', 'gold there', 'KL at the peak', 'gold there', 'a', 'b'],
  ...['residual', 'other form', 'straight line'],
];
for (const cells of [head, head.map(() => '---'), ...rows]) console.log(`| ${cells.join(' | ')} |`);
if (values.plot !== undefined) {
  const [first] = all;
  const curves = all.flatMap((one) => one.curves);
  writeFileSync(values.plot, curvesPlot({ ...first!, curves }).text);
}
