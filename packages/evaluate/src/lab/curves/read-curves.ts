// Reads what a lab's stages wrote into curves.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type SampleLine, stageFolder } from '@keel/align/internal';
import { combineEnsemble } from '@keel/align/rewards';
import { isPlainObject } from '@keel/model/exact-json';
import { files, type Lab, stageNames } from '../stages/lab.ts';
import type { ScoredPrompt } from '../stages/scores-job.ts';
import {
  type AnswerScores,
  agreementOf,
  bestOfNPoints,
  mean,
  meanPoints,
  steadySizes,
} from './best-of-n-curve.ts';
import type { Agreement, Curve, CurvePoint, LabCurves } from './curve.ts';
import { type Unit, unitOf } from './unit.ts';

/** The initial policy's answers to a prompt: gold, and each proxy's and ensemble's scores. */
interface SampledPrompt {
  row: number;
  gold: readonly number[];
  by: ReadonlyMap<string, readonly number[]>;
}

export interface ReadCurves extends LabCurves {
  notes: string[];
}

/** @throws Error if a file is damaged, or no prompt has enough answers */
export function readCurves(lab: Lab): ReadCurves {
  const { proxies, ensembles } = lab;
  const notes: string[] = [];
  const all = sampledPrompts(lab);
  // Empty answers are not rows, so that a prompt may have fewer.
  const prompts = all.filter(({ gold }) => gold.length >= Math.max(2, lab.answers / 2));
  const largest = Math.min(...prompts.map(({ gold }) => gold.length));
  if (prompts.length < 2) {
    throw new Error(
      `${all.length} held-out prompts have answers, and ${prompts.length} at least ${Math.ceil(lab.answers / 2)} each. Pass more eval_prompts:`,
    );
  }
  if (prompts.length < all.length)
    notes.push(`${all.length - prompts.length} prompts with mostly empty answers are not used.`);
  if (largest < lab.answers)
    notes.push(`Some prompts have empty answers, so that the largest n is ${largest}.`);
  const sizes = steadySizes(largest);
  const goldUnit = unitOf(
    prompts.flatMap(({ gold }) => gold),
    'gold',
  );
  const sampled = (name: string): { answers: AnswerScores[]; unit: Unit } => {
    const answers = prompts.map(({ gold, by }) => ({ gold, proxy: by.get(name)! }));
    return {
      answers,
      unit: unitOf(
        answers.flatMap(({ proxy }) => proxy),
        name,
      ),
    };
  };
  const points = (name: string): CurvePoint[] => {
    const { answers, unit } = sampled(name);
    return bestOfNPoints(answers, sizes, { gold: goldUnit, proxy: unit });
  };
  const groups = [...Map.groupBy(proxies, ({ group }) => group)];
  const bestOfN = [
    ...groups.map(([group, members]) => ({
      ...{
        name: group,
        group,
        ensemble: false,
        method: 'best-of-n' as const,
        counts: 'n' as const,
      },
      points: meanPoints(members.map(({ name }) => points(name))),
    })),
    ...ensembles.map(({ name, group }) => ({
      ...{ name, group, ensemble: true, method: 'best-of-n' as const },
      ...{ counts: 'n' as const, points: points(name) },
    })),
  ];
  const rl = lab.policies.map(({ name: stage, proxy }): Curve => {
    const combined = ensembles.find(({ name }) => name === proxy);
    const { group } = combined ?? proxies.find(({ name }) => name === proxy)!;
    const { unit } = sampled(proxy);
    return {
      ...{ name: proxy, group, ensemble: combined !== undefined, method: 'rl', counts: 'step' },
      points: policyPoints(lab, stage, proxy, { prompts, gold: goldUnit, proxy: unit }, notes),
    };
  });
  return {
    ...{ prompts: prompts.length, exact: false, goldUnit: goldUnit.deviation, notes },
    curves: [...bestOfN, ...rl],
    agreements: [...proxies, ...ensembles].map(({ name }): Agreement => {
      const shares = sampled(name).answers.map(agreementOf);
      return { name, shares: shares.filter((one) => one !== null) };
    }),
  };
}

function sampledPrompts({ recipe, proxies, ensembles }: Lab): SampledPrompt[] {
  const folder = (name: string): string => stageFolder(recipe.output, name);
  const rows = readLines(join(folder(stageNames.samples), files.answers)) as {
    row: number;
    scores: number[];
  }[];
  const scored = new Map(
    proxies.map(({ name }) => [
      name,
      scoresOf(join(folder(stageNames.scores(name)), files.scores)),
    ]),
  );
  return rows.map(({ row, scores: gold }) => {
    const by = new Map<string, readonly number[]>();
    for (const [name, scores] of scored) by.set(name, scores.get(row)!);
    for (const { name, rule, weight, members } of ensembles)
      by.set(
        name,
        combineEnsemble(
          members.map((one) => by.get(one.name)!),
          rule,
          weight,
        ),
      );
    return { row, gold, by };
  });
}

const scoresOf = (path: string): ReadonlyMap<number, readonly number[]> =>
  new Map((readLines(path) as unknown as ScoredPrompt[]).map(({ row, scores }) => [row, scores]));

/** The evaluations of a policy's run: one answer to each held-out prompt. */
function policyPoints(
  { recipe }: Lab,
  stage: string,
  proxy: string,
  initial: { prompts: readonly SampledPrompt[]; gold: Unit; proxy: Unit },
  notes: string[],
): CurvePoint[] {
  const lines = (
    readLines(join(stageFolder(recipe.output, stage), 'samples.jsonl')) as unknown as SampleLine[]
  ).filter(({ held_out }) => held_out === true);
  const steps = [...Map.groupBy(lines, ({ step }) => step)].sort(([one], [other]) => one - other);
  const [first] = lines;
  if (first === undefined || first.kl === null) {
    throw new Error(
      `${stage}: the held-out answers have no KL to the initial policy. Pass a beta above 0 under rl:`,
    );
  }
  const usable = initial.prompts.filter(({ row }) =>
    steps.every(([, own]) => {
      const line = own.find((one) => one.row === row);
      return line !== undefined && line.reward !== null && typeof line.gold === 'number';
    }),
  );
  if (usable.length < initial.prompts.length) {
    notes.push(
      `${proxy}: ${initial.prompts.length - usable.length} prompts have an answer without a score in an evaluation, and are not used.`,
    );
  }
  if (usable.length < 2) throw new Error(`${stage}: no prompts have scores in every evaluation`);
  return steps.map(([step, own]) => {
    const byRow = new Map(own.map((line) => [line.row, line]));
    const at = usable.map(({ row }) => byRow.get(row)!);
    return {
      at: step,
      kl: at.map(({ kl }) => kl!),
      proxy: at.map(
        ({ reward }, place) =>
          (reward! - mean(usable[place]!.by.get(proxy)!)) / initial.proxy.deviation,
      ),
      gold: at.map(
        ({ gold }, place) => (gold! - mean(usable[place]!.gold)) / initial.gold.deviation,
      ),
    };
  });
}

function readLines(path: string): Record<string, unknown>[] {
  if (!existsSync(path)) throw new Error(`${path}: is missing. Run the lab again`);
  const texts = readFileSync(path, 'utf8').split('\n');
  texts.pop();
  return texts.map((text, index) => {
    try {
      const found: unknown = JSON.parse(text);
      if (isPlainObject(found)) return found as Record<string, unknown>;
    } catch {}
    throw new Error(`${path}:${index + 1}: is not a JSON object, so the file is damaged`);
  });
}
