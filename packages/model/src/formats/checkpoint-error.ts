export interface CheckpointProblem {
  /** Path of the faulty file. */
  file: string;
  /** Name of the faulty tensor, if the fault is in one tensor. */
  tensor?: string;
}

/**
 * A checkpoint file is damaged, contradicts itself, or contains something that Keel cannot read.
 */
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

/** A value from a file as short JSON, so that a damaged file cannot flood the message. */
export const quote = (value: unknown): string => {
  const text = value === undefined ? 'missing' : (JSON.stringify(value) ?? String(value));
  return text.length <= 120 ? text : `${text.slice(0, 117)}...`;
};
