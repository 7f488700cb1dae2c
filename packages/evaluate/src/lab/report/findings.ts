// What a lab shows, in sentences.
import type { AnalysedCurve, LabAnalysis } from '../curves/analyse.ts';
import { isAbove, isBelow, number, signedEstimate } from './numbers.ts';
import { pointName } from './tables.ts';

export function labFindings(analysis: LabAnalysis): string[] {
  const { curves, ensembles } = analysis;
  return [
    ...(['best-of-n', 'rl'] as const).flatMap((method) =>
      formFindings(curves.filter((one) => one.method === method)),
    ),
    ...peakFindings(curves),
    ...ensembles.flatMap(({ name, against, method, last }) => {
      if (!isAbove(last) && !isBelow(last)) return [];
      const how = last.value > 0 ? 'more' : 'less';
      return `At the end of ${method === 'rl' ? 'RL' : 'best-of-n'}, ${name} has ${how} gold than ${against}: ${signedEstimate(last)}.`;
    }),
  ];
}

/** Whether the curves have Gao et al.'s form: it bends down, and fits better than the others. */
function formFindings(curves: readonly AnalysedCurve[]): string[] {
  const fitted = curves.filter(({ fit }) => fit !== null);
  const [first] = fitted;
  if (first === undefined) return [];
  const bends = fitted.filter(({ fit }) => (fit!.intervals?.beta[0] ?? fit!.beta) > 0);
  const better = fitted.filter(
    ({ fit, residuals }) => fit!.residual < residuals!.other && fit!.residual < residuals!.straight,
  );
  const what = first.method === 'rl' ? 'RL: d(a - b ln d)' : 'Best-of-n: d(a - b d)';
  return [
    `${what} bends down (b above 0${first.fit!.intervals === null ? '' : ', with its interval'}) in ${bends.length} of ${curvesText(fitted.length)}. It fits better than the other form and a straight line in ${better.length}.`,
  ];
}

function peakFindings(curves: readonly AnalysedCurve[]): string[] {
  const passed = curves.filter(({ stopping: { gain } }) => isAbove(gain));
  const rising = curves.filter(({ stopping, points }) => stopping.at === points.at(-1)!.at);
  return [
    ...passed.map((curve) => {
      const { stopping, name } = curve;
      const method = curve.method === 'rl' ? 'RL' : 'best-of-n';
      return `${method} of ${name} goes too far: gold is highest at ${pointName(curve, stopping.at)} (KL ${number(stopping.kl)}), and stopping there gains ${signedEstimate(stopping.gain)}.`;
    }),
    ...(rising.length === 0
      ? []
      : [
          `Gold is highest at the last point of ${rising.map(({ name, method }) => `${name} (${method === 'rl' ? 'RL' : 'best-of-n'})`).join(', ')}: what comes after is not known.`,
        ]),
  ];
}

const curvesText = (count: number): string => (count === 1 ? '1 curve' : `${count} curves`);
