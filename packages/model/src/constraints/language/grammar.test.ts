import { expect, it } from 'vitest';
import { compileTiny, reads } from '../testing/reads.ts';

const compile = (text: string) => compileTiny({ kind: 'grammar', text });

it.each([
  ['root ::= "yes" | "no"', ['yes', 'no'], ['', 'yesno', 'maybe']],
  ['# a list\nroot ::= item ("," item)*\nitem ::= [0-9]+ # digits', ['1', '12,3'], [',', '1,']],
  ['root ::= "(" root ")" | ""', ['', '()', '((()))'], ['(', '())']],
  [
    'root ::= expr\nexpr ::= term (("+" | "-") term)*\nterm ::= [a-z] | "(" expr ")"',
    ['a', 'a-(b+c)'],
    ['a-', '(a'],
  ],
  [
    'root ::= a{2,3} b{2} c{1,}\na ::= "x"\nb ::= "y"\nc ::= "z"?',
    ['xxyy', 'xxxyyzzz'],
    ['xyy', 'xxy'],
  ],
  ['root ::= [^a-c\\n]+ "\\u00e9" "\\x41" "\\"\\\\"', ['déA"\\', '😀éA"\\'], ['aéA"\\']],
  ['root ::= line+\nline ::=\n  [a-z]+\n  | [0-9]\n', ['ab1c'], ['A']],
  ['root ::= . . \n', ['é😀'], ['a']],
  ['root ::= list\nlist ::= "a" list | "a"', ['a', 'aaaa'], ['']],
  ['root ::= [-a]+ [\\]\\[]*', ['-a-][', 'a'], [']']],
])('%s', async (grammar, allowed, refused) => {
  const constraint = await compile(grammar);
  for (const text of allowed) expect(reads(constraint, text), text).toBe(true);
  for (const text of refused) expect(reads(constraint, text), text).toBe(false);
});

it.each([
  ['answer ::= "a"', /no rule root/],
  ['root ::= missing', /line 1, column 10: the rule missing is not defined/],
  ['root ::= "a\n"', /line 1, column 10: this " has no closing "/],
  ['root ::= "a"\n  ("b"', /line 2, column 3: this \( has no \)/],
  ['root ::= [a', /column 10: this \[ has no \]/],
  ['root ::= "a"\nroot ::= "b"', /line 2, column 1: the rule root is defined twice/],
  ['root = "a"', /line 1, column 1: expected a rule/],
  ['root ::= "\\q"', /column 11: the unknown escape \\q/],
  ['root ::= "a"{3,1}', /column 13: expected a count/],
  ['root ::= <think>', /tokens \(<…>\) are not supported/],
  ['root ::= root "a" | "b"', /the rule root starts with itself \(root → root\)/],
  ['root ::= a\na ::= b? c\nb ::= "x"\nc ::= a "y" | "z"', /starts with itself/],
  ['root ::= "a" root', /no text matches/],
])('%s is refused', async (grammar, message) => {
  await expect(compile(grammar)).rejects.toThrow(message);
});
