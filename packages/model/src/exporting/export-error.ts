/** A model or tokenizer cannot be written in the requested format. */
export class ExportError extends Error {
  override readonly name = 'ExportError';
}
