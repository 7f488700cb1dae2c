// Grammars in GBNF, the notation of llama.cpp, which is also what vLLM and SGLang read as EBNF:
//
//   root   ::= answer ("," " " answer)*   # a comment
//   answer ::= "yes" | "no" | [0-9]{1,3}
import {
  type Characters,
  characters,
  complement,
  everyCharacter,
  type Range,
} from './characters.ts';
import { ConstraintError } from './constraint-error.ts';
import {
  choice,
  type Expression,
  empty,
  literal,
  oneOf,
  type Rule,
  repeat,
  sequence,
} from './expression.ts';

const MOST_REPETITIONS = 10_000;
const escapes: Record<string, string> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '"': '"',
  "'": "'",
  '\\': '\\',
  '[': '[',
  ']': ']',
  '-': '-',
  '^': '^',
  '/': '/',
};
const hexLengths: Record<string, number> = { x: 2, u: 4, U: 8 };

/** The expression of the rule `root`. @throws ConstraintError with line and column */
export const grammarExpression = (text: string): Expression => new GrammarParser(text).parse();

class GrammarParser {
  readonly #letters: string[];
  readonly #rules = new Map<string, Rule>();
  /** Where each rule is first used. */
  readonly #uses = new Map<string, number>();
  readonly #defined = new Set<string>();
  #at = 0;

  constructor(text: string) {
    this.#letters = Array.from(text.toWellFormed());
  }

  parse(): Expression {
    this.#skip();
    while (this.#at < this.#letters.length) {
      const start = this.#at;
      const name = this.#name();
      this.#skip();
      if (name === null || !this.#take('::=')) {
        this.#fail('expected a rule, such as root ::= "yes" | "no"', start);
      }
      if (this.#defined.has(name)) this.#fail(`the rule ${name} is defined twice`, start);
      this.#defined.add(name);
      this.#rule(name).body = this.#alternatives();
    }
    for (const [name, at] of this.#uses) {
      if (!this.#defined.has(name)) this.#fail(`the rule ${name} is not defined`, at);
    }
    if (!this.#defined.has('root')) {
      throw new ConstraintError('the grammar has no rule root, with which answers start');
    }
    return { type: 'rule', rule: this.#rule('root') };
  }

  #fail(what: string, at = this.#at): never {
    const before = this.#letters.slice(0, at).join('').split('\n');
    throw new ConstraintError(
      `the grammar, line ${before.length}, column ${Array.from(before.at(-1)!).length + 1}: ${what}`,
    );
  }

  #rule(name: string): Rule {
    let rule = this.#rules.get(name);
    if (rule === undefined) {
      rule = { name, body: choice() };
      this.#rules.set(name, rule);
    }
    return rule;
  }

  /** Skips white space and comments. */
  #skip(): void {
    for (;;) {
      const letter = this.#letters[this.#at];
      if (letter === '#') {
        while (this.#at < this.#letters.length && this.#letters[this.#at] !== '\n') this.#at += 1;
      } else if (letter !== undefined && /^\s$/.test(letter)) this.#at += 1;
      else return;
    }
  }

  #take(text: string): boolean {
    if (this.#letters.slice(this.#at, this.#at + text.length).join('') !== text) return false;
    this.#at += text.length;
    return true;
  }

  #name(): string | null {
    let name = '';
    while (/^[A-Za-z0-9_-]$/.test(this.#letters[this.#at] ?? '')) name += this.#letters[this.#at++];
    return name === '' ? null : name;
  }

  /** Whether a new rule starts here. */
  #atRule(): boolean {
    const start = this.#at;
    const name = this.#name();
    this.#skip();
    const found = name !== null && this.#take('::=');
    this.#at = start;
    return found;
  }

  #alternatives(): Expression {
    const options = [this.#terms()];
    while (this.#take('|')) options.push(this.#terms());
    return choice(...options);
  }

  #terms(): Expression {
    const parts: Expression[] = [];
    for (;;) {
      this.#skip();
      const letter = this.#letters[this.#at];
      if (letter === undefined || letter === '|' || letter === ')' || this.#atRule()) break;
      parts.push(this.#quantified(this.#term()));
    }
    return parts.length === 0 ? empty : sequence(...parts);
  }

  #term(): Expression {
    const start = this.#at;
    const name = this.#name();
    if (name !== null) {
      if (!this.#uses.has(name)) this.#uses.set(name, start);
      return { type: 'rule', rule: this.#rule(name) };
    }
    const letter = this.#letters[this.#at++]!;
    if (letter === '"') return this.#literal(start);
    if (letter === '[') return oneOf(this.#class(start));
    if (letter === '.') return oneOf(everyCharacter);
    if (letter === '(') {
      const body = this.#alternatives();
      this.#skip();
      if (!this.#take(')')) this.#fail('this ( has no )', start);
      return body;
    }
    if (letter === '<') this.#fail('tokens (<…>) are not supported; write their text', start);
    this.#fail(`unexpected ${JSON.stringify(letter)}`, start);
  }

  #quantified(body: Expression): Expression {
    let found = body;
    for (;;) {
      const at = this.#at;
      if (this.#take('*')) found = repeat(found, 0, Number.POSITIVE_INFINITY);
      else if (this.#take('+')) found = repeat(found, 1, Number.POSITIVE_INFINITY);
      else if (this.#take('?')) found = repeat(found, 0, 1);
      else if (this.#take('{')) found = repeat(found, ...this.#counts(at));
      else return found;
    }
  }

  #counts(at: number): [number, number] {
    const number = (): number | null => {
      let text = '';
      while (/^[0-9]$/.test(this.#letters[this.#at] ?? '')) text += this.#letters[this.#at++];
      return text === '' ? null : Number(text);
    };
    const least = number();
    let most = least;
    if (this.#take(',')) most = number() ?? Number.POSITIVE_INFINITY;
    if (!this.#take('}') || most === null || (least ?? 0) > most) {
      this.#fail('expected a count, such as {3}, {2,} or {2,5}', at);
    }
    const largest = most === Number.POSITIVE_INFINITY ? (least ?? 0) : most;
    if (largest > MOST_REPETITIONS) this.#fail(`a count is at most ${MOST_REPETITIONS}`, at);
    return [least ?? 0, most];
  }

  #literal(start: number): Expression {
    let text = '';
    for (;;) {
      const letter = this.#letters[this.#at++];
      if (letter === undefined || letter === '\n') this.#fail('this " has no closing "', start);
      if (letter === '"') return literal(text);
      text += letter === '\\' ? this.#escape() : letter;
    }
  }

  #class(start: number): Characters {
    const negated = this.#take('^');
    const ranges: Range[] = [];
    const member = (): number => {
      const letter = this.#letters[this.#at++];
      if (letter === undefined || letter === '\n') this.#fail('this [ has no ]', start);
      return (letter === '\\' ? this.#escape() : letter).codePointAt(0)!;
    };
    while (!this.#take(']')) {
      const at = this.#at;
      const low = member();
      const isRange = this.#letters[this.#at] === '-' && this.#letters[this.#at + 1] !== ']';
      if (isRange) this.#at += 1;
      const high = isRange ? member() : low;
      if (low > high) this.#fail('the ends of this range are swapped', at);
      ranges.push([low, high]);
    }
    const set = characters(ranges);
    return negated ? complement(set) : set;
  }

  #escape(): string {
    const at = this.#at - 1;
    const letter = this.#letters[this.#at++] ?? '';
    const length = hexLengths[letter];
    if (length === undefined) {
      const found = escapes[letter];
      if (found === undefined) this.#fail(`the unknown escape \\${letter}`, at);
      return found;
    }
    const digits = this.#letters.slice(this.#at, this.#at + length).join('');
    const code = Number.parseInt(digits, 16);
    if (digits.length !== length || !/^[0-9A-Fa-f]+$/.test(digits) || code > 0x10ffff) {
      this.#fail(`\\${letter} needs ${length} hexadecimal digits of a character`, at);
    }
    this.#at += length;
    return String.fromCodePoint(code);
  }
}
