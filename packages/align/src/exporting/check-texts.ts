// Texts that a written tokenizer must split as the original does: several scripts, numbers, code,
// white space, combined characters, and the text of special tokens.
import type { Tokenizer } from '@keel/model';

const pieces: readonly string[] = [
  'The quick brown fox jumps over the lazy dog.',
  "I've been told he's there; we'll see what they'd say, won't we?",
  'WHAT? No way!!! ... (really) [sic] {x} <y> "quoted" \'single\' `code`',
  'Numbers: 0, 7, 42, 365, 1984, 65536, 3.14159, 1e-5, 1,000,000 and ½.',
  'def f(x):\n    return x ** 2  # square\n\n\tif not x:\n\t\tpass\n',
  'for (let i = 0; i < n; i++) { sum += a[i] !== null ? a[i] : 0; }',
  '{"key": [1, 2.5, null, true], "path": "C:\\\\temp\\\\x.txt"}',
  'Ein Bär überquert müde die Straße; ça va où, garçon? ¿Qué tal, señor?',
  'Привет, как дела? Всё хорошо.',
  '你好，世界！今天天气很好。日本語のテキストです。한국어 문장도 있습니다.',
  'مرحبا بالعالم، كيف حالك؟ שלום עולם',
  'नमस्ते दुनिया, आप कैसे हैं? สวัสดีชาวโลก',
  '👩‍🚀 launched 🚀🚀 with 🇩🇪 and 👍🏽 — naïve café, e\u0301 vs é',
  '  two leading spaces, two trailing  ',
  '\n\nblank lines\n\n\nand\r\nwindows\r\nends\n',
  '\ttabs\tbetween\t\twords\t',
  'a\u00a0no-break space, a\u2009thin one, a\u200bzero-width one, \ufeffa mark',
  'https://example.org/a/b?c=d&e=%20f#g and name@example.org',
  '$E = mc^2$, \\frac{a}{b}, α + β ≤ γ, ∑ x_i → ∞, 20 °C, 5 µm',
  '| a | b |\n|---|---|\n| 1 | **bold** |\n\n- item\n  - nested\n1. one',
  'CamelCaseWords snake_case_words kebab-case-words SCREAMING_CASE x1y2z3',
  'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ======== -------- ........',
  'Ünïcödé ﬁ ligature, ｆｕｌｌ width, ① ② ③, Ⅷ',
  'x',
  ' ',
];

/** A hundred texts; a chat model's with the marks of its turns. */
export function checkTexts(tokenizer: Tokenizer): string[] {
  const special = [...tokenizer.specialTokenIds]
    .map((id) => tokenizer.idToToken(id))
    .filter((token) => token !== null);
  const next = (index: number, step: number): string =>
    pieces[(index * step + step) % pieces.length]!;
  const mark = (index: number): string =>
    special.length === 0 ? ' ' : special[index % special.length]!;
  return [
    ...pieces,
    ...pieces.map((piece, index) => piece + next(index, 7)),
    ...pieces.map((piece, index) => `${piece}${mark(index)}${next(index, 11)}`),
    ...pieces.map((piece, index) => `${mark(index)}user\n${piece}${mark(index + 1)}\n`),
  ];
}
