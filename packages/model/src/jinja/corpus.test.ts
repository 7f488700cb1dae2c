// Compares the renderer with Jinja2 in transformers' environment: fixtures/corpus.json, which
// make-corpus.py writes.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TemplateSyntaxError } from './errors.ts';
import { fromJs } from './from-js.ts';
import { LocalTime } from './strftime.ts';
import { Template, TemplateFailure } from './template.ts';
import { textOf } from './text.ts';
import { PythonFloat, type Value } from './values.ts';

interface Case {
  source: string;
  text?: string;
  error?: string;
  message?: string;
}

const revive = (_: string, value: unknown): unknown => {
  const { $float, $int } = (value ?? {}) as { $float?: string; $int?: string };
  if ($float !== undefined) return new PythonFloat(Number($float));
  return $int === undefined ? value : BigInt($int);
};

const path = process.env.CORPUS ?? new URL('./fixtures/corpus.json', import.meta.url);
const { variables, cases } = JSON.parse(readFileSync(path, 'utf8'), revive) as {
  variables: Record<string, unknown>;
  cases: Case[];
};

const given = Object.entries(variables).map(
  ([name, value]) => [name, fromJs(value)] as [string, Value],
);
const clock = LocalTime.parse('2026-11-28T15:04:05');

/** The text, or the error; an error that jinja2 does not have fails the test. */
const outcome = (source: string): string => {
  try {
    return textOf(new Template(source).render(given, clock));
  } catch (error) {
    if (error instanceof TemplateFailure) {
      return error.cause.kind === 'Unsupported' ? '(unsupported)' : '(error)';
    }
    if (error instanceof TemplateSyntaxError) return '(error)';
    throw error;
  }
};

// Intentional differences of this renderer.
const different = new Map([
  // Jinja2 folds the constant to nothing instead of refusing it.
  ['{{ 5[1:2] }}', '(error)'],
  // A variable of a finished loop: Jinja2 prints its own mark for it.
  [
    '{% set ns = namespace() %}{% for x in l %}{% macro m() %}{{ x }}{% endmacro %}{% set ns.m = m %}{% endfor %}{{ ns.m() }}',
    '',
  ],
  // Bytes are not supported.
  ["{{ 'a'.encode() }}", '(unsupported)'],
]);

describe('the corpus of Jinja2', () => {
  it('has cases', () => {
    expect(cases.length).toBeGreaterThan(1000);
  });

  it('is rendered as in Jinja2', () => {
    const wrong = cases.flatMap(({ source, text, error, message }) => {
      const expected = different.get(source) ?? (error === undefined ? text! : '(error)');
      let actual: string;
      try {
        actual = outcome(source);
      } catch (thrown) {
        actual = `(crash) ${(thrown as Error).stack}`;
      }
      if (actual === expected || (error !== undefined && actual === '(unsupported)')) return [];
      return [
        { source, expected: error === undefined ? expected : `${error}: ${message}`, actual },
      ];
    });
    expect(wrong).toEqual([]);
  });
});
