export interface CheckpointProblem {
  /** Path of the file that is wrong. */
  file: string;
  /** Name of the tensor that is wrong, where it is one tensor's fault. */
  tensor?: string;
}

/** A checkpoint file is damaged, lies about its contents, or holds something Keel cannot read. */
export class CheckpointError extends Error {
  readonly file: string;
  readonly tensor: string | undefined;

  constructor(problem: CheckpointProblem, message: string, options?: ErrorOptions) {
    const where = problem.tensor === undefined ? '' : `tensor ${quote(problem.tensor)}: `;
    super(`${problem.file}: ${where}${message}`, options);
    this.name = 'CheckpointError';
    this.file = problem.file;
    this.tensor = problem.tensor;
  }
}

/** A value from a file as short JSON: a damaged file must not fill the message. */
export const quote = (value: unknown): string => {
  const text = value === undefined ? 'not there' : (JSON.stringify(value) ?? String(value));
  return text.length <= 120 ? text : `${text.slice(0, 117)}...`;
};
