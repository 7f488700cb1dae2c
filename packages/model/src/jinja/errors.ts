/** The template cannot be compiled. `at` is the place in its source, in UTF-16 units of the normalised source. */
export class TemplateSyntaxError extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.name = 'TemplateSyntaxError';
    this.at = at;
  }
}

/** What Python or Jinja2 would raise while rendering. `kind` is the name of the exception there. */
export class PythonError extends Error {
  readonly kind: string;

  constructor(kind: string, message: string) {
    super(message);
    this.name = 'PythonError';
    this.kind = kind;
  }
}

export const typeError = (message: string): PythonError => new PythonError('TypeError', message);
export const valueError = (message: string): PythonError => new PythonError('ValueError', message);

/** Something Python can do that this renderer does not. */
export const unsupported = (message: string): PythonError =>
  new PythonError('Unsupported', message);
