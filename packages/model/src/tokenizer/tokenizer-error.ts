/** A tokenizer's files are missing, contradict each other, or need a feature that Keel lacks. */
export class TokenizerError extends Error {
  constructor(where: string, message: string, options?: ErrorOptions) {
    super(`${where}: ${message}`, options);
    this.name = 'TokenizerError';
  }
}
