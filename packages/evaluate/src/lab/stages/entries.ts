// The proxies, ensembles and policies of a lab, by their names.
import { unknownName } from '@keel/align/internal';
import type { EnsembleRule } from '@keel/align/rewards';
import type { Ensemble, PolicyRun, ProxyModel } from './lab.ts';
import { stageNames } from './lab.ts';
import type { Section } from './read-sections.ts';

/** `p64`, or `p64-n25` with a quarter of the labels flipped. */
const groupName = (pairs: number, noise: number): string =>
  noise === 0 ? `p${pairs}` : `p${pairs}-n${Number((100 * noise).toPrecision(6))}`;

export const proxiesOf = ({
  pairs,
  noise,
  seeds,
}: {
  pairs: readonly number[];
  noise: readonly number[];
  seeds: readonly number[];
}): ProxyModel[] =>
  pairs.flatMap((count) =>
    noise.flatMap((share) =>
      seeds.map((seed) => {
        const group = groupName(count, share);
        return { name: `${group}-s${seed}`, group, pairs: count, noise: share, seed };
      }),
    ),
  );

export function ensemblesOf(
  { own: { rules, weight }, place }: Section<{ rules: EnsembleRule[]; weight: number }>,
  proxies: readonly ProxyModel[],
  problems: string[],
): Ensemble[] {
  const groups = [...Map.groupBy(proxies, ({ group }) => group)];
  if (groups.some(([, members]) => members.length < 2)) {
    problems.push(
      `${place}: an ensemble combines a proxy's seeds, and there is only one. Add seeds: [1, 2, 3] under proxies:`,
    );
    return [];
  }
  return groups.flatMap(([group, members]) =>
    rules.map((rule) => ({ name: `${group}-${rule}`, group, rule, weight, members })),
  );
}

export function policiesOf(
  { own: { proxies: asked }, place }: Section<{ proxies: string[] | null }>,
  proxies: readonly ProxyModel[],
  ensembles: readonly Ensemble[],
  problems: string[],
): PolicyRun[] {
  const known = [...proxies, ...ensembles].map(({ name }) => name);
  for (const name of asked ?? []) {
    if (!known.includes(name))
      problems.push(`${place}: proxies: ${unknownName('proxy', name, known)}`);
  }
  const firsts = [...Map.groupBy(proxies, ({ group }) => group).values()].map(([first]) => first!);
  const names = asked ?? [...firsts, ...ensembles].map(({ name }) => name);
  return names.map((proxy) => ({ name: stageNames.policy(proxy), proxy }));
}
