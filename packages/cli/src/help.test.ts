// The help of every verb.

import type { OptionDescriptor } from '@keel/align/config';
import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { addFlags } from './flags.ts';
import { verbs } from './verb-list.ts';

const loaded = await Promise.all(
  verbs.map(async ({ name, options }) => {
    const { definition, operand } = await options();
    const descriptors = definition.descriptors as readonly OptionDescriptor[];
    return { name, descriptors, operand, flags: descriptors.filter((one) => one.name !== operand) };
  }),
);
type Loaded = (typeof loaded)[number];

/** What a flag prints, with each option on one line. */
function help({ name, descriptors, operand }: Loaded, flag: '--help' | '--help-all'): string[] {
  let text = '';
  const command = new Command(name).exitOverride().configureOutput({
    writeOut: (part) => {
      text += part;
    },
    getOutHelpWidth: () => 10_000,
  });
  addFlags(command, descriptors, operand);
  expect(() => command.parse([flag], { from: 'user' })).toThrow();
  return text.split('\n');
}

/** The line of an option. */
const lineOf = (lines: readonly string[], { usage }: OptionDescriptor): string | undefined =>
  lines.find((line) => line.startsWith(`  ${usage} `));

/** Phrases of the style guide's list of words to avoid. */
const banned = [
  ...['unless told', 'is told', 'mend', 'of its own', 'so many', 'likeliest', 'stands in'],
  ...['stands beside', 'goes on', 'anew', 'learnt', 'leaves out', 'left out', 'none is given'],
];

describe.each(loaded.map((one) => [one.name, one] as const))('keel %s', (_, verb) => {
  const { descriptors, flags } = verb;

  test('--help lists the required options first, then the common ones', () => {
    const lines = help(verb, '--help');
    const shown = flags.filter((one) => lineOf(lines, one) !== undefined);
    expect(shown).toEqual(flags.filter(({ common }) => common));
    expect(shown.length).toBeLessThanOrEqual(18);
    const required = flags.filter((one) => one.required);
    const first = lines.indexOf('Required:');
    expect(first >= 0).toBe(required.length > 0);
    const headed = lines.slice(first + 1, first + 1 + required.length);
    if (first >= 0) expect(headed).toEqual(required.map((one) => lineOf(lines, one)));
    if (first >= 0)
      expect(lines.findIndex((line) => /^\w.*:$/.test(line))).toBeLessThanOrEqual(first);
  });

  test('--help ends with the number of the other options', () => {
    const others = flags.filter(({ common }) => !common).length;
    const last = help(verb, '--help').findLast((line) => line !== '')!;
    if (others > 0) expect(last).toMatch(new RegExp(`^${others} .*keel ${verb.name} --help-all$`));
    else expect(last).not.toContain('--help-all');
  });

  test('--help-all lists every option', () => {
    const lines = help(verb, '--help-all');
    for (const one of flags) expect(lineOf(lines, one), one.flag).toBeDefined();
    expect(lines.findLast((line) => line !== '')).not.toContain('--help-all');
  });

  test('every default is shown once', () => {
    const lines = help(verb, '--help-all');
    for (const one of flags) {
      const shown = lineOf(lines, one)!.split('(default: ').length - 1;
      const isOff = one.flagOnly === true && one.default === false;
      expect([one.flag, shown]).toEqual([one.flag, one.required || isOff ? 0 : 1]);
    }
  });

  test('descriptions are in plain words', () => {
    for (const { flag, description, shownDefault = '' } of descriptors) {
      const text = `${description} ${shownDefault}`.toLowerCase();
      expect([flag, banned.filter((phrase) => text.includes(phrase))]).toEqual([flag, []]);
      expect(description, flag).not.toMatch(/\.$|\bdefault:/);
    }
  });
});
