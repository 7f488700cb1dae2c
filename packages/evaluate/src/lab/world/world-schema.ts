// A closed world as a lab's file: all answers to a few prompts, with what is known of them.
import { ConfigError } from '@keel/align/config';
import { readYamlFile } from '@keel/align/internal';
import { z } from 'zod';
import { checkSpec } from '../../specs/read-spec.ts';

const numbers = z.array(z.number()).min(2);

const promptSchema = z.strictObject({
  /** Of the answers under the initial policy; their sum is 1. */
  probabilities: z.array(z.number().min(0).max(1)).min(2),
  /** Gold reward of each answer. */
  gold: numbers,
  /** Rewards of each answer by the proxies' names. */
  proxies: z.record(z.string().min(1), numbers),
});

export const worldSchema = z.strictObject({
  /** The lab's folder (default: runs/<name of the file>). */
  output: z.string().min(1).optional(),
  world: z.array(promptSchema).min(1),
  /** Values of n. */
  best_of_n: z.array(z.int().positive()).min(2).default([1, 2, 4, 8, 16, 32, 64]),
  /** KL coefficients of RL. */
  betas: z.array(z.number().positive()).min(2).default([8, 4, 2, 1, 0.5, 0.25, 0.125]),
});

export type World = z.output<typeof worldSchema>;

/** Probabilities may be rounded. */
const ROUNDING = 1e-6;

/** Whether a lab's file describes a closed world. @throws ConfigError if it cannot be read */
export const isWorld = (path: string): boolean => {
  const file = readYamlFile(path, 'a lab, with "gold:" and "proxies:", or "world:" in it');
  return file.pairs.some((pair) => file.keyOf(pair) === 'world');
};

/** @throws ConfigError naming file, line and column of every fault */
export function readWorld(path: string): World {
  const { value, placeOf } = checkSpec(path, worldSchema, 'a closed world, with "world:" in it');
  const problems: string[] = [];
  const names = Object.keys(value.world[0]!.proxies);
  if (names.length === 0) {
    problems.push(
      `${placeOf(['world', 0, 'proxies'])}: proxies: expected at least one, by its name`,
    );
  }
  for (const [at, { probabilities, gold, proxies }] of value.world.entries()) {
    const place = (...keys: string[]): string => placeOf(['world', at, ...keys]);
    const sum = probabilities.reduce((total, one) => total + one, 0);
    if (Math.abs(sum - 1) > ROUNDING)
      problems.push(`${place('probabilities')}: expected a sum of 1, found ${sum}`);
    const lists = [['gold', gold] as const, ...Object.entries(proxies)];
    for (const [name, list] of lists) {
      if (list.length === probabilities.length) continue;
      const key = name === 'gold' ? place('gold') : place('proxies', name);
      problems.push(
        `${key}: ${name}: expected ${probabilities.length} rewards, one for each answer, found ${list.length}`,
      );
    }
    const own = Object.keys(proxies);
    const other =
      own.find((one) => !names.includes(one)) ?? names.find((one) => !own.includes(one));
    if (other !== undefined) {
      problems.push(
        `${place('proxies')}: proxies: every prompt needs the same, and ${other} is not in all of them`,
      );
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return value;
}
