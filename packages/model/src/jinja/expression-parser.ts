// Parses expressions exactly as jinja2's parser does, including its unusual precedences.
import type { Arguments, Binary, Call, Comparator, Expression, Filter, Slice } from './ast.ts';
import { TemplateSyntaxError } from './errors.ts';
import { describe, type TokenStream } from './token-stream.ts';
import type { Value } from './values.ts';

const constants = new Map<string, Value>([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['none', null],
  ['None', null],
]);

export interface TupleOptions {
  /** Allow only names and literals. */
  simple?: boolean;
  withConditional?: boolean;
  /** A word that ends the tuple. */
  endWord?: string;
  /** Allow an empty tuple. */
  inParentheses?: boolean;
  withNamespace?: boolean;
}

const noArguments: Arguments = { args: [], kwargs: [], moreArgs: null, moreKwargs: null };

export class ExpressionParser {
  protected readonly stream: TokenStream;

  constructor(stream: TokenStream) {
    this.stream = stream;
  }

  protected fail(message: string, at = this.stream.current.at): never {
    throw new TemplateSyntaxError(message, at);
  }

  parseExpression(withConditional = true): Expression {
    return withConditional ? this.#conditional() : this.#or();
  }

  #conditional(): Expression {
    const { stream } = this;
    let { at } = stream.current;
    let then = this.#or();
    while (stream.takeWordIf('if')) {
      const test = this.#or();
      const otherwise = stream.takeWordIf('else') ? this.#conditional() : null;
      then = { kind: 'conditional', test, then, otherwise, at };
      at = stream.current.at;
    }
    return then;
  }

  #or(): Expression {
    let left = this.#and();
    while (this.stream.isWord('or')) {
      const { at } = this.stream.take();
      left = { kind: 'logical', operator: 'or', left, right: this.#and(), at };
    }
    return left;
  }

  #and(): Expression {
    let left = this.#not();
    while (this.stream.isWord('and')) {
      const { at } = this.stream.take();
      left = { kind: 'logical', operator: 'and', left, right: this.#not(), at };
    }
    return left;
  }

  #not(): Expression {
    if (!this.stream.isWord('not')) return this.#compare();
    const { at } = this.stream.take();
    return { kind: 'unary', operator: 'not', value: this.#not(), at };
  }

  #compare(): Expression {
    const { stream } = this;
    const { at } = stream.current;
    const first = this.#sum();
    const rest: { operator: Comparator; value: Expression }[] = [];
    for (;;) {
      let operator: Comparator;
      if (stream.is('==', '!=', '<', '<=', '>', '>=')) operator = stream.take().type as Comparator;
      else if (stream.takeWordIf('in')) operator = 'in';
      else if (
        stream.isWord('not') &&
        stream.ahead.type === 'name' &&
        stream.ahead.value === 'in'
      ) {
        stream.take();
        stream.take();
        operator = 'not in';
      } else break;
      rest.push({ operator, value: this.#sum() });
    }
    return rest.length === 0 ? first : { kind: 'compare', first, rest, at };
  }

  #binary(operators: readonly string[], operand: () => Expression): Expression {
    let left = operand();
    while (this.stream.is(...operators)) {
      const { type, at } = this.stream.take();
      const operator = type as Binary['operator'];
      left = { kind: 'binary', operator, left, right: operand(), at };
    }
    return left;
  }

  #sum(): Expression {
    return this.#binary(['+', '-'], () => this.#concat());
  }

  #concat(): Expression {
    const { at } = this.stream.current;
    const items = [this.#product()];
    while (this.stream.takeIf('~')) items.push(this.#product());
    return items.length === 1 ? items[0]! : { kind: 'concat', items, at };
  }

  #product(): Expression {
    return this.#binary(['*', '/', '//', '%'], () => this.#power());
  }

  #power(): Expression {
    return this.#binary(['**'], () => this.#unary(true));
  }

  #unary(withFilter: boolean): Expression {
    const { type, at } = this.stream.current;
    let node: Expression;
    if (type === '-' || type === '+') {
      this.stream.take();
      node = { kind: 'unary', operator: type, value: this.#unary(false), at };
    } else node = this.parsePrimary();
    node = this.#postfix(node);
    return withFilter ? this.#filters(node) : node;
  }

  protected parsePrimary(withNamespace = false): Expression {
    const { stream } = this;
    const token = stream.current;
    const { at } = token;
    switch (token.type) {
      case 'name': {
        stream.take();
        const name = token.value as string;
        const constant = constants.get(name);
        if (constant !== undefined) return { kind: 'const', value: constant, at };
        if (withNamespace && stream.takeIf('.')) {
          const attribute = stream.expect('name').value as string;
          return { kind: 'namespace-ref', name, attribute, at };
        }
        return { kind: 'name', name, use: 'load', at };
      }
      case 'string': {
        let text = '';
        while (stream.is('string')) text += stream.take().value as string;
        return { kind: 'const', value: text, at };
      }
      case 'integer':
      case 'float':
        return { kind: 'const', value: stream.take().value, at };
      case '(': {
        stream.take();
        const node = this.parseTuple({ inParentheses: true });
        stream.expect(')');
        return node;
      }
      case '[':
        return this.#list();
      case '{':
        return this.#dict();
      default:
        return this.fail(`unexpected '${describe(token)}'`);
    }
  }

  /** An expression, or comma-separated expressions as a tuple. */
  protected parseTuple(options: TupleOptions = {}): Expression {
    const { simple = false, withConditional = true, endWord, inParentheses = false } = options;
    const { stream } = this;
    const { at } = stream.current;
    const items: Expression[] = [];
    let isTuple = false;
    for (;;) {
      if (items.length > 0) stream.expect(',');
      const ends = stream.is('variable_end', 'block_end', ')');
      if (ends || (endWord !== undefined && stream.isWord(endWord))) break;
      items.push(
        simple ? this.parsePrimary(options.withNamespace) : this.parseExpression(withConditional),
      );
      if (!stream.is(',')) break;
      isTuple = true;
    }
    if (!isTuple) {
      if (items.length > 0) return items[0]!;
      if (!inParentheses) this.fail(`Expected an expression, got '${describe(stream.current)}'`);
    }
    return { kind: 'tuple', items, at };
  }

  #list(): Expression {
    const { at } = this.stream.expect('[');
    const items: Expression[] = [];
    this.#separated(']', () => items.push(this.parseExpression()));
    return { kind: 'list', items, at };
  }

  #dict(): Expression {
    const { at } = this.stream.expect('{');
    const entries: { key: Expression; value: Expression }[] = [];
    this.#separated('}', () => {
      const key = this.parseExpression();
      this.stream.expect(':');
      entries.push({ key, value: this.parseExpression() });
    });
    return { kind: 'dict', entries, at };
  }

  /** Comma-separated items with an optional trailing comma. */
  #separated(end: string, item: () => void): void {
    for (let first = true; !this.stream.is(end); first = false) {
      if (!first) this.stream.expect(',');
      if (this.stream.is(end)) break;
      item();
    }
    this.stream.expect(end);
  }

  #postfix(node: Expression): Expression {
    let value = node;
    for (;;) {
      if (this.stream.is('.', '[')) value = this.#subscript(value);
      else if (this.stream.is('(')) value = this.#call(value);
      else return value;
    }
  }

  #filters(node: Expression): Expression {
    let value = node;
    for (;;) {
      if (this.stream.is('|')) value = this.parseFilter(value);
      else if (this.stream.isWord('is')) value = this.#test(value);
      else if (this.stream.is('(')) value = this.#call(value);
      else return value;
    }
  }

  #subscript(value: Expression): Expression {
    const { stream } = this;
    const { type, at } = stream.take();
    if (type === '.') {
      const token = stream.take();
      if (token.type === 'name') {
        return { kind: 'attribute', value, name: token.value as string, at };
      }
      if (token.type !== 'integer') this.fail('expected name or number', token.at);
      return { kind: 'item', value, key: { kind: 'const', value: token.value, at: token.at }, at };
    }
    const keys: (Expression | Slice)[] = [];
    while (!stream.is(']')) {
      if (keys.length > 0) stream.expect(',');
      keys.push(this.#key());
    }
    stream.expect(']');
    if (keys.length === 1) return { kind: 'item', value, key: keys[0]!, at };
    if (keys.some(({ kind }) => kind === 'slice')) {
      this.fail('a slice cannot be one of several keys', at);
    }
    return { kind: 'item', value, key: { kind: 'tuple', items: keys as Expression[], at }, at };
  }

  #key(): Expression | Slice {
    const { stream } = this;
    const { at } = stream.current;
    let start: Expression | null = null;
    if (!stream.is(':')) {
      start = this.parseExpression();
      if (!stream.is(':')) return start;
    }
    stream.take();
    const part = (): Expression | null =>
      stream.is(':', ']', ',') ? null : this.parseExpression();
    const stop = part();
    let step: Expression | null = null;
    if (stream.takeIf(':') && !stream.is(']', ',')) step = this.parseExpression();
    return { kind: 'slice', start, stop, step, at };
  }

  #arguments(): Arguments {
    const { stream } = this;
    const { at } = stream.expect('(');
    const args: Expression[] = [];
    const kwargs: { name: string; value: Expression }[] = [];
    let moreArgs: Expression | null = null;
    let moreKwargs: Expression | null = null;
    const ensure = (allowed: boolean): void => {
      if (!allowed) this.fail('invalid syntax for function call expression', at);
    };
    for (let first = true; !stream.is(')'); first = false) {
      if (!first) stream.expect(',');
      if (stream.is(')')) break;
      if (stream.is('*')) {
        ensure(moreArgs === null && moreKwargs === null);
        stream.take();
        moreArgs = this.parseExpression();
      } else if (stream.is('**')) {
        ensure(moreKwargs === null);
        stream.take();
        moreKwargs = this.parseExpression();
      } else if (stream.is('name') && stream.ahead.type === '=') {
        ensure(moreKwargs === null);
        const name = stream.take().value as string;
        stream.take();
        if (kwargs.some((other) => other.name === name)) {
          this.fail(`keyword argument repeated: ${name}`);
        }
        kwargs.push({ name, value: this.parseExpression() });
      } else {
        ensure(moreArgs === null && moreKwargs === null && kwargs.length === 0);
        args.push(this.parseExpression());
      }
    }
    stream.expect(')');
    return { args, kwargs, moreArgs, moreKwargs };
  }

  #call(callee: Expression): Call {
    const { at } = this.stream.current;
    return { kind: 'call', callee, ...this.#arguments(), at };
  }

  #dotted(): string {
    let name = this.stream.expect('name').value as string;
    while (this.stream.takeIf('.')) name += `.${this.stream.expect('name').value as string}`;
    return name;
  }

  /** A chain of filters on `value`. If `begun`, the first one has no bar before it. */
  protected parseFilter(value: Expression, begun?: boolean): Filter;
  protected parseFilter(value: null, begun?: boolean): Filter | null;
  protected parseFilter(value: Expression | null, begun = false): Expression | null {
    let node = value;
    for (let inline = begun; inline || this.stream.is('|'); inline = false) {
      if (!inline) this.stream.take();
      const { at } = this.stream.current;
      const name = this.#dotted();
      const args = this.stream.is('(') ? this.#arguments() : noArguments;
      node = { kind: 'filter', name, value: node, ...args, at };
    }
    return node;
  }

  #test(value: Expression): Expression {
    const { stream } = this;
    const { at } = stream.take();
    const negated = stream.takeWordIf('not');
    const name = this.#dotted();
    let args = noArguments;
    if (stream.is('(')) args = this.#arguments();
    else if (
      stream.is('name', 'string', 'integer', 'float', '[', '{') &&
      !stream.isWord('else', 'or', 'and')
    ) {
      if (stream.isWord('is')) this.fail('You cannot chain multiple tests with is');
      args = { ...noArguments, args: [this.#postfix(this.parsePrimary())] };
    }
    const test: Expression = { kind: 'test', name, value, ...args, at };
    return negated ? { kind: 'unary', operator: 'not', value: test, at } : test;
  }
}
