// The syntax of JavaScript's regular expressions, without what no automaton can do.
import {
  type Characters,
  characters,
  charactersOf,
  complement,
  everyCharacter,
  type Range,
} from './characters.ts';
import { ConstraintError } from './constraint-error.ts';
import { choice, type Expression, empty, oneOf, repeat, sequence } from './expression.ts';

/** Stand for the borders of the text, outside the range of characters. */
export const START = 0x110000;
export const END = 0x110001;
export const startMark: Expression = { type: 'characters', set: [[START, START]] };
export const endMark: Expression = { type: 'characters', set: [[END, END]] };

const MOST_REPETITIONS = 10_000;

const digits = characters([[0x30, 0x39]]);
const wordCharacters = characters([
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
]);
const spaces = characters(
  Array.from(
    '\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff',
    (one): Range => [one.codePointAt(0)!, one.codePointAt(0)!],
  ),
);
const classes: Record<string, Characters> = {
  d: digits,
  D: complement(digits),
  w: wordCharacters,
  W: complement(wordCharacters),
  s: spaces,
  S: complement(spaces),
};
const controls: Record<string, number> = { t: 9, n: 10, v: 11, f: 12, r: 13, '0': 0 };
const anyButLineEnds = complement(charactersOf('\n\r\u2028\u2029'));

/** Character sets of properties by their escapes: finding one looks at every character. */
const properties = new Map<string, Characters>();

/** The expression of a pattern, in which `^` and `$` are marks. @throws ConstraintError */
export const parseRegex = (pattern: string): Expression => new RegexParser(pattern).parse();

class RegexParser {
  readonly #source: string;
  readonly #letters: string[];
  #at = 0;

  constructor(source: string) {
    this.#source = source;
    this.#letters = Array.from(source.toWellFormed());
  }

  parse(): Expression {
    const found = this.#alternatives();
    if (this.#at < this.#letters.length) this.#fail('a ) without a (');
    return found;
  }

  #fail(what: string, at = this.#at): never {
    throw new ConstraintError(
      `the regular expression ${JSON.stringify(this.#source)} has, at character ${at + 1}, ${what}`,
    );
  }

  #peek(text: string): boolean {
    return this.#letters.slice(this.#at, this.#at + text.length).join('') === text;
  }

  #take(text: string): boolean {
    if (!this.#peek(text)) return false;
    this.#at += text.length;
    return true;
  }

  #alternatives(): Expression {
    const options = [this.#terms()];
    while (this.#take('|')) options.push(this.#terms());
    return options.length === 1 ? options[0]! : choice(...options);
  }

  #terms(): Expression {
    const parts: Expression[] = [];
    while (this.#at < this.#letters.length && !this.#peek('|') && !this.#peek(')')) {
      const start = this.#at;
      const atom = this.#atom();
      parts.push(this.#quantified(atom, start));
    }
    return parts.length === 0 ? empty : sequence(...parts);
  }

  #quantified(atom: Expression, start: number): Expression {
    const counts = this.#counts();
    if (counts === null) return atom;
    if (atom === startMark || atom === endMark) this.#fail('a repeated ^ or $', start);
    // A lazy quantifier matches the same texts.
    this.#take('?');
    if (this.#peek('+')) this.#fail('a possessive quantifier, which is not supported');
    if (this.#peek('*') || this.#peek('?')) this.#fail('nothing to repeat');
    return repeat(atom, ...counts);
  }

  #counts(): [number, number] | null {
    const at = this.#at;
    if (this.#take('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#take('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#take('?')) return [0, 1];
    if (!this.#take('{')) return null;
    const least = this.#digits();
    let most: number | null = least;
    if (this.#take(',')) most = this.#peek('}') ? Number.POSITIVE_INFINITY : this.#digits();
    if (least === null || most === null || !this.#take('}')) {
      this.#fail('a { that is neither a count, such as {2,5}, nor written as \\{', at);
    }
    if (least > most) this.#fail(`the count {${least},${most}}, whose numbers are swapped`, at);
    for (const count of [least, most]) {
      if (count > MOST_REPETITIONS && count !== Number.POSITIVE_INFINITY) {
        this.#fail(`a count above ${MOST_REPETITIONS}`, at);
      }
    }
    return [least, most];
  }

  #digits(): number | null {
    let text = '';
    while (/^[0-9]$/.test(this.#letters[this.#at] ?? '')) text += this.#letters[this.#at++];
    return text === '' ? null : Number(text);
  }

  #atom(): Expression {
    const start = this.#at;
    const letter = this.#letters[this.#at++]!;
    switch (letter) {
      case '^':
        return startMark;
      case '$':
        return endMark;
      case '.':
        return oneOf(anyButLineEnds);
      case '(':
        return this.#group(start);
      case '[':
        return oneOf(this.#class(start));
      case '\\':
        return oneOf(this.#escape(start, false));
      case '*':
      case '+':
      case '?':
      case '{':
        this.#fail(`${letter} with nothing to repeat`, start);
    }
    return oneOf(charactersOf(letter));
  }

  #group(start: number): Expression {
    if (this.#take('?')) {
      for (const look of ['=', '!', '<=', '<!']) {
        if (this.#peek(look))
          this.#fail(`a look-around (?${look}…), which is not supported`, start);
      }
      if (this.#take('<')) {
        while (this.#at < this.#letters.length && !this.#take('>')) this.#at += 1;
      } else if (!this.#take(':')) {
        this.#fail(`the group (?${this.#letters[this.#at] ?? ''}…), which is not supported`, start);
      }
    }
    const body = this.#alternatives();
    if (!this.#take(')')) this.#fail('a ( without its )', start);
    return body;
  }

  /** The characters of an escape, after its backslash. */
  #escape(start: number, inClass: boolean): Characters {
    const letter = this.#letters[this.#at++];
    if (letter === undefined) this.#fail('a backslash at the end', start);
    if (Object.hasOwn(classes, letter)) return classes[letter]!;
    if (inClass && letter === 'b') return charactersOf('\b');
    if (letter === '0' && /^[0-9]$/.test(this.#letters[this.#at] ?? '')) {
      this.#fail('an octal escape, which is not supported', start);
    }
    if (Object.hasOwn(controls, letter))
      return charactersOf(String.fromCodePoint(controls[letter]!));
    if (letter === 'x') return this.#hexadecimal(2, start);
    if (letter === 'u') return this.#unicode(start);
    if (letter === 'c') {
      const control = this.#letters[this.#at++] ?? '';
      if (!/^[A-Za-z]$/.test(control)) this.#fail('\\c without a letter', start);
      return charactersOf(String.fromCodePoint(control.codePointAt(0)! % 32));
    }
    if (letter === 'p' || letter === 'P') return this.#property(letter, start);
    if (/^[1-9]$/.test(letter) || letter === 'k') {
      this.#fail(`a back-reference \\${letter}, which is not supported`, start);
    }
    if (letter === 'b' || letter === 'B') {
      this.#fail(`a word border \\${letter}, which is not supported`, start);
    }
    if (/^[A-Za-z]$/.test(letter)) this.#fail(`the unknown escape \\${letter}`, start);
    return charactersOf(letter);
  }

  #hexadecimal(length: number, start: number): Characters {
    const text = this.#letters.slice(this.#at, this.#at + length).join('');
    if (text.length !== length || !/^[0-9A-Fa-f]+$/.test(text)) {
      this.#fail(`an escape without its ${length} hexadecimal digits`, start);
    }
    this.#at += length;
    const code = Number.parseInt(text, 16);
    return [[code, code]];
  }

  #unicode(start: number): Characters {
    if (this.#take('{')) {
      let text = '';
      while (this.#at < this.#letters.length && !this.#peek('}')) text += this.#letters[this.#at++];
      const code = Number.parseInt(text, 16);
      if (!this.#take('}') || !/^[0-9A-Fa-f]+$/.test(text) || code > 0x10ffff) {
        this.#fail('an escape \\u{…} that is no character', start);
      }
      return characters([[code, code]]);
    }
    const [[code]] = this.#hexadecimal(4, start) as [Range];
    if (code >= 0xd800 && code <= 0xdbff && this.#take('\\u')) {
      const [[low]] = this.#hexadecimal(4, start) as [Range];
      const whole = (code - 0xd800) * 0x400 + (low - 0xdc00) + 0x10000;
      if (low >= 0xdc00 && low <= 0xdfff) return [[whole, whole]];
    }
    if (code >= 0xd800 && code <= 0xdfff) this.#fail('half of a surrogate pair', start);
    return [[code, code]];
  }

  /** `\p{…}`, as JavaScript itself knows it. */
  #property(letter: string, start: number): Characters {
    const from = this.#at;
    while (this.#at < this.#letters.length && this.#letters[this.#at] !== '}') this.#at += 1;
    this.#at += 1;
    const name = this.#letters.slice(from, this.#at).join('');
    const known = properties.get(letter + name);
    if (known !== undefined) return known;
    let test: RegExp;
    try {
      test = new RegExp(`^\\${letter}${name}$`, 'u');
    } catch {
      this.#fail(`the unknown property \\${letter}${name}`, start);
    }
    const found: Range[] = [];
    for (const [low, high] of everyCharacter) {
      for (let code = low; code <= high; code++) {
        if (test.test(String.fromCodePoint(code))) found.push([code, code]);
      }
    }
    const set = characters(found);
    properties.set(letter + name, set);
    return set;
  }

  #class(start: number): Characters {
    const negated = this.#take('^');
    const ranges: Range[] = [];
    while (!this.#take(']')) {
      if (this.#at >= this.#letters.length) this.#fail('a [ without its ]', start);
      const place = this.#at;
      const low = this.#classMember();
      const isRange = this.#peek('-') && this.#letters[this.#at + 1] !== ']';
      if (!isRange || this.#at + 1 >= this.#letters.length) {
        ranges.push(...low);
        continue;
      }
      this.#at += 1;
      const high = this.#classMember();
      const single = (set: Characters): number | null =>
        set.length === 1 && set[0]![0] === set[0]![1] ? set[0]![0] : null;
      const [first, last] = [single(low), single(high)];
      if (first === null || last === null) this.#fail('a range between classes', place);
      if (first > last) this.#fail('a range whose ends are swapped', place);
      ranges.push([first, last]);
    }
    const set = characters(ranges);
    return negated ? complement(set) : set;
  }

  #classMember(): Characters {
    const place = this.#at;
    const letter = this.#letters[this.#at++];
    if (letter === undefined) this.#fail('a [ without its ]', place);
    return letter === '\\' ? this.#escape(place, true) : charactersOf(letter);
  }
}
