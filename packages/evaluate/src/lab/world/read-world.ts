// Reads a closed world: all answers to a few prompts, with what is known of them.
import { ConfigError } from '@keel/align/config';
import { readYamlFile } from '@keel/align/internal';
import { checkSpec } from '../../specs/read-spec.ts';
import { type World, worldSchema } from '../options/world-options.ts';

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
