/** A tokenizer's files are missing, contradict themselves, or need something Keel cannot do. */
export class TokenizerError extends Error {
  constructor(where: string, message: string, options?: ErrorOptions) {
    super(`${where}: ${message}`, options);
    this.name = 'TokenizerError';
  }
}
