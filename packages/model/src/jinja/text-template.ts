// Templates for texts that are not chats, such as the prompts of a test: a jinja2 environment with
// StrictUndefined and keep_trailing_newline, and the other settings at their defaults.
import { TemplateSyntaxError } from './errors.ts';
import { fromJs } from './from-js.ts';
import { LocalTime } from './strftime.ts';
import { placeIn, Template, TemplateFailure } from './template.ts';
import { textOf } from './text.ts';

/** A template that cannot be compiled, or that fails for some variables. */
export class TextTemplateError extends Error {
  override readonly name = 'TextTemplateError';
}

/** A compiled template for a text. */
export class TextTemplate {
  readonly source: string;
  readonly #template: Template;

  /** @throws TextTemplateError with line and column */
  constructor(source: string) {
    this.source = source;
    try {
      this.#template = new Template(source, { whitespace: 'whole', strict: true });
    } catch (cause) {
      if (!(cause instanceof TemplateSyntaxError)) throw cause;
      const { line, column } = placeIn(source, cause.at);
      throw new TextTemplateError(
        `line ${line}, column ${column} of the template: ${cause.message}`,
        { cause },
      );
    }
  }

  /** @throws TextTemplateError if the template fails, or prints a name without a value */
  render(variables: Readonly<Record<string, unknown>>): string {
    const given = Object.entries(variables).map(([name, value]) => [name, fromJs(value)] as const);
    try {
      return textOf(this.#template.render(given, clock));
    } catch (cause) {
      if (!(cause instanceof TemplateFailure)) throw cause;
      throw new TextTemplateError(`line ${cause.place.line} of the template: ${cause.message}`, {
        cause,
      });
    }
  }
}

/** A test may not depend on the time. */
const clock = LocalTime.parse('2000-01-01T00:00:00');
