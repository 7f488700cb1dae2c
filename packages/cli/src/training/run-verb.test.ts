import { describe, expect, it } from 'vitest';
import { chatWith, scoreWith } from './run-verb.ts';

describe('the command to try a result', () => {
  const shared = { model: 'models/a b', lora: true };
  it.each([
    [{}, ''],
    [{ regex: null, choices: null, jsonObject: false }, ''],
    [{ regex: '[0-9]{1,3}' }, " --regex '[0-9]{1,3}'"],
    [{ jsonObject: true }, ' --json-object'],
    [{ jsonSchema: 'answer.json' }, ' --json-schema answer.json'],
    [{ grammar: 'a.gbnf' }, ' --grammar a.gbnf'],
    [{ choices: ['yes', "I don't know"] }, " --choices yes 'I don'\\''t know'"],
  ])('has the constraint of the run: %j', (own, words) => {
    expect(chatWith({ ...shared, ...own }, 'run/final').command).toBe(
      `npx keel chat --model 'models/a b' --adapter run/final${words}`,
    );
    expect(chatWith({ ...shared, ...own, lora: false }, 'run/final').command).toBe(
      `npx keel chat --model run/final${words}`,
    );
  });

  it('holds the base of an adapter as it was held in training', () => {
    for (const basePrecision of ['nf4', 'kept']) {
      const options = { ...shared, basePrecision };
      const flag = new RegExp(` --base-precision ${basePrecision}$`);
      expect(chatWith(options, 'run/final').command).toMatch(flag);
      expect(scoreWith(options, 'run/final').command).toMatch(flag);
      expect(chatWith({ ...options, lora: false }, 'run/final').command).not.toMatch(flag);
    }
    expect(chatWith({ ...shared, basePrecision: 'auto' }, 'run/final').command).not.toMatch(/base/);
  });
});
