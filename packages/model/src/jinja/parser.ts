// Parses a template as jinja2's parser does, with the tags of transformers' environment.
import type {
  Call,
  CallBlock,
  Data,
  Expression,
  Filter,
  For,
  If,
  Name,
  Signature,
  Statement,
} from './ast.ts';
import { TemplateSyntaxError } from './errors.ts';
import { ExpressionParser, type TupleOptions } from './expression-parser.ts';
import { normalise, tokenize, type Whitespace } from './lexer.ts';
import { TokenStream } from './token-stream.ts';

// Jinja2 tags that are not supported, and why.
const refused = new Map([
  ['include', 'chat templates cannot load other templates'],
  ['import', 'chat templates cannot load other templates'],
  ['from', 'chat templates cannot load other templates'],
  ['extends', 'chat templates cannot load other templates'],
  ['autoescape', 'chat templates do not produce HTML'],
]);

/** @throws TemplateSyntaxError */
export const parseTemplate = (source: string, whitespace: Whitespace): Statement[] =>
  new Parser(new TokenStream(tokenize(normalise(source, whitespace), whitespace))).parse();

class Parser extends ExpressionParser {
  /** Open tags, and the words that end each. */
  readonly #tags: string[] = [];
  readonly #ends: (readonly string[])[] = [];

  parse(): Statement[] {
    return this.#body([]);
  }

  /** Parses statements up to one of the end words, or to the end of the template. */
  #body(ends: readonly string[]): Statement[] {
    const { stream } = this;
    const body: Statement[] = [];
    let output: (Data | Expression)[] = [];
    const flush = (): void => {
      if (output.length > 0) body.push({ kind: 'output', items: output, at: output[0]!.at });
      output = [];
    };
    if (ends.length > 0) this.#ends.push(ends);
    while (!stream.is('eof')) {
      const token = stream.take();
      if (token.type === 'data') {
        output.push({ kind: 'data', text: token.value as string, at: token.at });
      } else if (token.type === 'variable_begin') {
        output.push(this.parseTuple());
        stream.expect('variable_end');
      } else {
        flush();
        if (ends.length > 0 && stream.isWord(...ends)) break;
        body.push(this.#statement());
        stream.expect('block_end');
      }
    }
    flush();
    if (ends.length > 0) {
      this.#ends.pop();
      if (stream.is('eof')) this.#unfinished(null, [...this.#ends, ends], stream.current.at);
    }
    return body;
  }

  /** Parses a tag's body. A single end word is consumed. */
  #statements(...ends: string[]): Statement[] {
    this.stream.takeIf(':');
    this.stream.expect('block_end');
    const body = this.#body(ends);
    if (ends.length === 1) this.stream.take();
    return body;
  }

  #unfinished(name: string | null, ends: readonly (readonly string[])[], at: number): never {
    const looking = ends
      .at(-1)
      ?.map((end) => `'${end}'`)
      .join(' or ');
    let message =
      name === null ? 'Unexpected end of template.' : `Encountered unknown tag '${name}'.`;
    if (looking !== undefined) {
      message += ends.some((words) => name !== null && words.includes(name))
        ? ` You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for ${looking}.`
        : ` Jinja was looking for the following tags: ${looking}.`;
    }
    const tag = this.#tags.at(-1);
    if (tag !== undefined) {
      message += ` The innermost block that needs to be closed is '${tag}'.`;
    }
    throw new TemplateSyntaxError(message, at);
  }

  #statement(): Statement {
    const { stream } = this;
    const { type, value, at } = stream.current;
    if (type !== 'name') this.fail('tag name expected');
    const tag = value as string;
    const reason = refused.get(tag);
    if (reason !== undefined) {
      throw new TemplateSyntaxError(`the tag '${tag}' is not supported: ${reason}`, at);
    }
    const parse = this.#parsers[tag];
    if (parse === undefined || !Object.hasOwn(this.#parsers, tag)) {
      this.#unfinished(tag, this.#ends, at);
    }
    this.#tags.push(tag);
    stream.take();
    const statement = parse(at);
    this.#tags.pop();
    return statement;
  }

  readonly #parsers: Record<string, (at: number) => Statement> = {
    for: (at) => this.#for(at),
    if: (at) => this.#if(at),
    set: (at) => this.#set(at),
    print: (at) => this.#print(at),
    with: (at) => this.#with(at),
    macro: (at) => this.#macro(at),
    call: (at) => this.#callBlock(at),
    filter: (at) => this.#filterBlock(at),
    block: (at) => this.#block(at),
    generation: (at) => ({
      kind: 'generation',
      parameters: [],
      defaults: [],
      body: this.#statements('endgeneration'),
      at,
    }),
    break: (at) => ({ kind: 'break', at }),
    continue: (at) => ({ kind: 'continue', at }),
  };

  #for(at: number): For {
    const { stream } = this;
    const target = this.#target({ endWord: 'in' });
    stream.expectWord('in');
    const values = this.parseTuple({ withConditional: false, endWord: 'recursive' });
    const test = stream.takeWordIf('if') ? this.parseExpression() : null;
    const recursive = stream.takeWordIf('recursive');
    const body = this.#statements('endfor', 'else');
    const hasElse = stream.take().value === 'else';
    const otherwise = hasElse ? this.#statements('endfor') : [];
    return { kind: 'for', target, values, test, recursive, body, otherwise, at };
  }

  #if(at: number): If {
    const branches: { test: Expression; body: Statement[] }[] = [];
    for (;;) {
      const test = this.parseTuple({ withConditional: false });
      branches.push({ test, body: this.#statements('elif', 'else', 'endif') });
      const { value } = this.stream.take();
      if (value === 'elif') continue;
      const otherwise = value === 'else' ? this.#statements('endif') : [];
      return { kind: 'if', branches, otherwise, at };
    }
  }

  #set(at: number): Statement {
    const target = this.#target({ withNamespace: true });
    if (this.stream.takeIf('=')) return { kind: 'set', target, value: this.parseTuple(), at };
    const filter = this.parseFilter(null);
    return { kind: 'set-block', target, filter, body: this.#statements('endset'), at };
  }

  #print(at: number): Statement {
    const items: Expression[] = [];
    while (!this.stream.is('block_end')) {
      if (items.length > 0) this.stream.expect(',');
      items.push(this.parseExpression());
    }
    return { kind: 'output', items, at };
  }

  #with(at: number): Statement {
    const targets: Expression[] = [];
    const values: Expression[] = [];
    while (!this.stream.is('block_end')) {
      if (targets.length > 0) this.stream.expect(',');
      targets.push(this.#target({}, 'parameter'));
      this.stream.expect('=');
      values.push(this.parseExpression());
    }
    return { kind: 'with', targets, values, body: this.#statements('endwith'), at };
  }

  #macro(at: number): Statement {
    const { name } = this.#name('store');
    const signature = this.#signature();
    return { kind: 'macro', name, ...signature, body: this.#statements('endmacro'), at };
  }

  #callBlock(at: number): CallBlock {
    const signature = this.stream.is('(') ? this.#signature() : { parameters: [], defaults: [] };
    const call = this.parseExpression();
    if (call.kind !== 'call') this.fail('expected call', at);
    const body = this.#statements('endcall');
    return { kind: 'call-block', call: call as Call, ...signature, body, at };
  }

  #filterBlock(at: number): Statement {
    const filter = this.parseFilter(null, true) as Filter;
    return { kind: 'filter-block', filter, body: this.#statements('endfilter'), at };
  }

  #block(at: number): Statement {
    const { stream } = this;
    const name = stream.expect('name').value as string;
    const scoped = stream.takeWordIf('scoped');
    const required = stream.takeWordIf('required');
    if (stream.is('-')) {
      this.fail('Block names in Jinja have to be valid identifiers and may not contain hyphens');
    }
    const body = this.#statements('endblock');
    stream.takeWordIf(name);
    return { kind: 'block', name, scoped, required, body, at };
  }

  #signature(): Signature {
    const { stream } = this;
    const parameters: Name[] = [];
    const defaults: Expression[] = [];
    stream.expect('(');
    while (!stream.is(')')) {
      if (parameters.length > 0) stream.expect(',');
      const parameter = this.#name('parameter');
      if (parameters.some(({ name }) => name === parameter.name)) {
        this.fail(`duplicate argument '${parameter.name}' in the definition`, parameter.at);
      }
      if (stream.takeIf('=')) defaults.push(this.parseExpression());
      else if (defaults.length > 0) this.fail('non-default argument follows default argument');
      parameters.push(parameter);
    }
    stream.expect(')');
    return { parameters, defaults };
  }

  #name(use: Name['use']): Name {
    const { value, at } = this.stream.expect('name');
    return assignable({ kind: 'name', name: value as string, use, at });
  }

  #target(options: TupleOptions, use: Name['use'] = 'store'): Expression {
    return asTarget(this.parseTuple({ ...options, simple: true }), use);
  }
}

const reserved = new Set(['true', 'false', 'none', 'True', 'False', 'None']);

const assignable = (name: Name): Name => {
  if (!reserved.has(name.name)) return name;
  throw new TemplateSyntaxError(`can't assign to '${name.name}'`, name.at);
};

/** Converts a parsed tuple or name to an assignment target. */
const asTarget = (node: Expression, use: Name['use']): Expression => {
  if (node.kind === 'name') return { ...node, use };
  if (node.kind === 'namespace-ref') return node;
  if (node.kind === 'tuple') {
    return { ...node, items: node.items.map((item) => asTarget(item, use)) };
  }
  throw new TemplateSyntaxError(`can't assign to '${node.kind}'`, node.at);
};
