import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import Markdown from 'react-markdown';
import remarkGfm from 'remark-gfm';
import { describe, expect, test } from 'vitest';
import { formulasIn, remarkFormulas } from './formulas.ts';

const shown = (text: string): string =>
  renderToStaticMarkup(
    createElement(Markdown, { remarkPlugins: [remarkGfm, remarkFormulas], children: text }),
  );
const unescaped = (html: string): string =>
  html
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#x27;', "'")
    .replaceAll('&amp;', '&');

describe('a formula is shown as it was written', () => {
  test.each([
    ['in brackets', 'So \\(x_1 * y * z\\) and \\[a \\\\ b\\] end'],
    ['with dollars', 'So $\\{a*b*c\\}$ and $$\\|x\\|_2 \\& \\# y_i_j$$'],
    ['with what Markdown and HTML mean', "\\(a < b > c & d &lt; ``e'' <b> [x](y) ~~z~~\\)"],
    ['over lines', '\\[\nx\n= y\n- z\n# w\n1. v\n> u\n---\n\\]'],
    ['of an environment', '\\begin{align*}\na &= b \\\\\nc &= d*e*f\n\\end{align*}'],
    ['beside text that ends with it', '($x*y*z$), $x$.'],
  ])('%s', (_, text) => {
    expect(unescaped(shown(text))).toBe(`<p>${text}</p>`);
  });

  test('in a quotation and in a list', () => {
    expect(shown('> \\[\n> a *b* c\n> \\]')).toContain('<p>\\[\na *b* c\n\\]</p>');
    expect(shown('1. So\n   \\[\n   - a\n   \\]')).toMatch(/<li>So\n\\\[\n- a\n\\\]<\/li>/);
  });

  test('in a table, where a stroke is no column', () => {
    expect(shown('| a | b |\n|---|---|\n| $|x|$ | y |')).toContain('<td>$|x|$</td><td>y</td>');
  });
});

describe('other Markdown stays as it is', () => {
  test.each([
    ['Escapes: \\*no\\* \\_no\\_ \\( and \\]', 'Escapes: *no* _no_ ( and ]'],
    ['A backslash: \\\\(x\\\\)', 'A backslash: \\(x\\)'],
    ['From $5 to **$6**, $7', 'From $5 to <strong>$6</strong>, $7'],
    ['**$AB** and **$CD**', '<strong>$AB</strong> and <strong>$CD</strong>'],
    [
      '`\\(x\\)` and `$$` *so* `$$`',
      '<code>\\(x\\)</code> and <code>$$</code> <em>so</em> <code>$$</code>',
    ],
    ['\\(a `\\)` *b*', '(a <code>\\)</code> <em>b</em>'],
    ['[a](https://x.org/$b_c$)', '<a href="https://x.org/$b_c$">a</a>'],
    ['$$ *so*', '$$ <em>so</em>'],
    ['\\(\\) *so*', '() <em>so</em>'],
  ])('%s', (text, expected) => {
    expect(shown(text)).toBe(`<p>${expected}</p>`);
  });

  test('a blank line ends what is not closed', () => {
    expect(shown('\\[ *a*\n\n*b* \\]')).toBe('<p>[ <em>a</em></p>\n<p><em>b</em> ]</p>');
  });

  test('code in a block, also between two parts of a formula', () => {
    expect(shown('$$\n```\na*b*$$\n```\n*c*')).toMatch(/<code>a\*b\*\$\$\n<\/code>.*<em>c<\/em>/s);
  });
});

// If each opening were searched to the end of the text, this would take longer than a test may.
test.each([
  '\\(',
  '\\[',
  '$$ ',
  '\\begin{align}',
  '\\\\(',
  'a$',
])('many openings %j that nothing closes', (one) => {
  expect(formulasIn(one.repeat(300_000))).toEqual([]);
});
