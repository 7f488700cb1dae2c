// Expected texts are those of jinja2 3.1 with StrictUndefined and keep_trailing_newline.
import { expect, test } from 'vitest';
import { TextTemplate, TextTemplateError } from './text-template.ts';

const variables = { a: 'A', b: true, l: ["it's", '2"'], n: 3, t: true, f: 1.5, d: { k: 'v' } };

test.each([
  ['{{a}}\n', 'A\n'],
  ['x\n  {% if b %}\n  y\n  {% endif %}\nz\n', 'x\n  \n  y\n  \nz\n'],
  ['{# c #}\nq {{ l }}', '\nq ["it\'s", \'2"\']'],
  ['{%- for i in l %}\n{{i}}{% endfor -%}\n end\n', '\nit\'s\n2"end\n'],
  ['{% raw %}\n{{a}}{% endraw %}\n', '\n{{a}}\n'],
  ['{{ l[0] ~ n }}|{{ t }}|{{ f }}', "it's3|True|1.5"],
  ["{{d.k}}{{ missing | default('m') }}", 'vm'],
])('%j gives the text of jinja2', (source, text) => {
  expect(new TextTemplate(source).render(variables)).toBe(text);
});

test.each(['{{ q }}', 'a\n{{ d.nope }}'])('%j has no value to print', (source) => {
  const template = new TextTemplate(source);
  const line = source.split('\n').length;
  expect(() => template.render(variables)).toThrow(TextTemplateError);
  expect(() => template.render(variables)).toThrow(new RegExp(`line ${line} .*(q|nope)`));
});

test('a fault of the template has its place', () => {
  expect(() => new TextTemplate('a\n{{ b | nothing }}')).toThrow(/line 2, column 8.*nothing/);
});

test.each(['length', 'list', 'float'])('a block filtered by %s has no text to print', (name) => {
  const template = new TextTemplate(`{% filter ${name} %}12{% endfilter %}`);
  expect(() => template.render(variables)).toThrow(/expected str instance, (int|list|float) found/);
});
