/** The template cannot be compiled. `at` is a UTF-16 offset into its normalised source. */
export class TemplateSyntaxError extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.name = 'TemplateSyntaxError';
    this.at = at;
  }
}

/** An exception that Python or Jinja2 raises while rendering. `kind` is its class name. */
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

/** A feature of Python that this renderer lacks. */
export const unsupported = (message: string): PythonError =>
  new PythonError('Unsupported', message);
