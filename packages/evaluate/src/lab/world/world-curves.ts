// The curves of a closed world: KL and rewards are sums over all answers, without an estimate.
import type { Agreement, Curve, CurvePoint, LabCurves } from '../curves/curve.ts';
import type { World } from '../options/world-options.ts';
import { bestOfNPolicy, exactKl, expected, tiltedPolicy } from './closed-policies.ts';

type WorldPrompt = World['world'][number];
type Policies = (prompt: WorldPrompt, proxy: readonly number[]) => number[];

/** Rises over the initial policy, in standard deviations of its answers' rewards. */
export function worldCurves({ world, best_of_n: sizes, betas }: World): LabCurves {
  const names = Object.keys(world[0]!.proxies);
  const goldUnit = deviationOf(world, ({ gold }) => gold);
  const curves = names.flatMap((name): Curve[] => {
    const proxyOf = ({ proxies }: WorldPrompt): readonly number[] => proxies[name]!;
    const units = { gold: goldUnit, proxy: deviationOf(world, proxyOf) };
    const point = (at: number, policies: Policies): CurvePoint => {
      const all = world.map((prompt) => ({ prompt, policy: policies(prompt, proxyOf(prompt)) }));
      const rise = (of: (prompt: WorldPrompt) => readonly number[], unit: number): number[] =>
        all.map(({ prompt, policy }) => {
          const values = of(prompt);
          return (expected(policy, values) - expected(prompt.probabilities, values)) / unit;
        });
      return {
        at,
        kl: all.map(({ prompt, policy }) => exactKl(policy, prompt.probabilities)),
        proxy: rise(proxyOf, units.proxy),
        gold: rise(({ gold }) => gold, units.gold),
      };
    };
    const own = { name, group: name, ensemble: false };
    return [
      {
        ...{ ...own, method: 'best-of-n', counts: 'n' },
        points: sizes
          .toSorted((one, other) => one - other)
          .map((n) =>
            point(n, ({ probabilities }, proxy) => bestOfNPolicy({ probabilities, proxy }, n)),
          ),
      },
      {
        ...{ ...own, method: 'rl', counts: 'beta' },
        // Without an end to beta, the policy is the initial one.
        points: [Number.POSITIVE_INFINITY, ...betas]
          .toSorted((one, other) => other - one)
          .map((beta) =>
            point(beta, ({ probabilities }, proxy) => tiltedPolicy({ probabilities, proxy }, beta)),
          ),
      },
    ];
  });
  return {
    ...{ prompts: world.length, exact: true, goldUnit, curves },
    agreements: names.map((name) => agreementWith(world, name)),
  };
}

/**
 * Standard deviation of a reward over the initial policy's answers to all prompts.
 * @throws Error if they all have the same
 */
function deviationOf(
  world: readonly WorldPrompt[],
  of: (prompt: WorldPrompt) => readonly number[],
): number {
  const moment = (power: number): number =>
    world.reduce(
      (sum, prompt) =>
        sum +
        expected(
          prompt.probabilities,
          of(prompt).map((one) => one ** power),
        ),
      0,
    ) / world.length;
  const variance = moment(2) - moment(1) ** 2;
  if (!(variance > 0)) throw new Error('a reward is the same for all answers of the world');
  return Math.sqrt(variance);
}

/** Weighted by the probability of drawing the two answers. */
function agreementWith(world: readonly WorldPrompt[], name: string): Agreement {
  const shares = world.flatMap(({ probabilities, gold, proxies }) => {
    const proxy = proxies[name]!;
    let [hits, pairs] = [0, 0];
    for (const [one, better] of gold.entries()) {
      for (const [other, worse] of gold.entries()) {
        if (better <= worse) continue;
        const weight = probabilities[one]! * probabilities[other]!;
        pairs += weight;
        hits += weight * (proxy[one]! > proxy[other]! ? 1 : proxy[one] === proxy[other] ? 0.5 : 0);
      }
    }
    return pairs === 0 ? [] : [hits / pairs];
  });
  return { name, shares };
}
