import { describe, expect, it } from 'vitest';
import { fromJs } from './from-js.ts';
import { LocalTime } from './strftime.ts';
import { Template, TemplateFailure } from './template.ts';
import { textOf } from './text.ts';

const time = LocalTime.parse('2026-11-28T15:04:05');
const render = (source: string, variables: Record<string, unknown> = {}): string =>
  textOf(
    new Template(source).render(
      Object.entries(variables).map(([name, value]) => [name, fromJs(value)] as const),
      time,
    ),
  );
const failure = (source: string, variables?: Record<string, unknown>): TemplateFailure => {
  try {
    render(source, variables);
  } catch (error) {
    if (error instanceof TemplateFailure) return error;
    throw error;
  }
  throw new Error('it was rendered');
};

describe('a template that uses too many resources', () => {
  it.each([
    [
      'nested loops',
      '{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}',
    ],
    ['a loop of filters', '{% for i in range(99999) %}{{ range(9999)|sum }}{% endfor %}'],
    [
      'macros that call macros',
      '{% macro a(n) %}{% if n %}{{ a(n - 1) }}{{ a(n - 1) }}{% endif %}{% endmacro %}{{ a(60) }}',
    ],
    [
      'comparing lists of lists',
      `${'{% set x = [x, x] %}{% set y = [y, y] %}'.repeat(40)}{{ x == y }}`,
    ],
  ])('stops with its line: %s', (_, source) => {
    const found = failure(`\n${source}`, { x: 1, y: 1 });
    expect(found.message).toContain('10,000,000 steps');
    expect(found.place.line).toBe(2);
  });

  it.each([
    [
      'doubling with ~',
      '{% set n = namespace(s="a") %}{% for i in range(40) %}{% set n.s = n.s ~ n.s %}{% endfor %}',
    ],
    [
      'doubling with +',
      '{% set n = namespace(s="a") %}{% for i in range(40) %}{% set n.s = n.s + n.s %}{% endfor %}',
    ],
    ['repeating', '{{ "ab" * 1000000000 }}'],
    ['replacing', '{{ ("a" * 100000).replace("a", "b" * 100000) }}'],
    ['joining', '{{ range(99999)|join("b" * 100000) }}'],
    ['padding', '{{ "a".ljust(10 ** 9) }}'],
    ['centring', '{{ "a"|center(10 ** 9) }}'],
    ['filling with zeros', '{{ "a".zfill(10 ** 9) }}'],
    ['printf widths', '{{ "%1000000000d" % 1 }}'],
    ['format widths', '{{ "{:1000000000}".format(1) }}'],
    ['indents', '{{ "a\nb"|indent(10 ** 9) }}'],
    ['indents of JSON', '{{ [1]|tojson(indent=10 ** 9) }}'],
    ['tabs', '{{ "a\tb".expandtabs(10 ** 9) }}'],
    ['hashing tuples of tuples', `${'{% set x = (x, x) %}'.repeat(40)}{{ {x: 1} }}`],
  ])('creates no unlimited text: %s', (_, source) => {
    expect(failure(source, { x: 1 }).message).toMatch(
      /67,108,864 characters|10,000,000 steps|spaces is too large/,
    );
  });

  it.each([
    [
      'lists',
      '{% set n = namespace(s=[1]) %}{% for i in range(40) %}{% set n.s = n.s + n.s %}{% endfor %}',
    ],
    [
      'numbers',
      '{% set n = namespace(s=99999999999999999) %}{% for i in range(90) %}{% set n.s = n.s * n.s %}{% endfor %}',
    ],
    ['powers', '{{ 10 ** 9999999999 }}'],
    ['repeated lists', '{{ [[]] * 1000000000 }}'],
  ])('creates no unlimited value: %s', (_, source) => {
    expect(failure(source).message).toMatch(/more than 10,000,000 items|is too large/);
  });

  it('is refused in plain words if it is nested too deeply', () => {
    const deep = (open: string, inner: string, close: string): string =>
      open.repeat(20_000) + inner + close.repeat(20_000);
    for (const source of [
      `{{ ${deep('(', '1', ')')} }}`,
      `{{ ${deep('[', '', ']')} }}`,
      deep('{% if 1 %}', '', '{% endif %}'),
      `{{ x${'.a'.repeat(20_000)} }}`,
      `{{ 1${' + 1'.repeat(20_000)} }}`,
    ]) {
      let message = '';
      try {
        render(source);
      } catch (error) {
        message = (error as Error).message;
      }
      expect(message).not.toMatch(/call stack/);
    }
  });

  it('is refused if its source is too long', () => {
    expect(() => new Template('a'.repeat(1_000_001))).toThrow(/has 1000001 characters/);
  });
});

it('accepts a long conversation', () => {
  const messages = Array.from({ length: 2000 }, (_, at) => ({
    role: at % 2 ? 'assistant' : 'user',
    content: 'x'.repeat(20_000),
  }));
  const source =
    '{% for m in messages %}<|{{ m.role }}|>{{ m.content|trim }}{% if loop.last %}.{% endif %}\n{% endfor %}';
  expect(render(source, { messages }).length).toBeGreaterThan(40_000_000);
});
