// An error of one process, as all processes of the run throw it.

/** The run was stopped in another process. */
export class StoppedElsewhere extends Error {
  constructor(rank: number) {
    super(`the run was stopped on rank ${rank}`);
    this.name = 'StoppedElsewhere';
  }
}

/** How errors of a kind are made again from what was sent. */
const kinds = new Map<string, (fields: SentFields) => Error>();

type SentFields = Readonly<Record<string, unknown>> & { message: string };

/**
 * Errors with this name are thrown as the same class in every process.
 * @param revive gets the message and the error's own fields
 */
export function shareError(name: string, revive: (fields: SentFields) => Error): void {
  kinds.set(name, revive);
}

export interface SentError {
  name: string;
  fields: SentFields;
}

/** What other processes need of it: its message, and fields that can be sent. */
export function sentError(error: unknown): SentError {
  if (!(error instanceof Error)) return { name: 'Error', fields: { message: String(error) } };
  const own = Object.entries(error).filter(([, value]) => isPlain(value));
  return { name: error.name, fields: { ...Object.fromEntries(own), message: error.message } };
}

/** The error of another process, which reports it to the user. */
export function reviveError({ name, fields }: SentError, rank: number): Error {
  if (name === 'AbortError' || name === 'StoppedElsewhere') return new StoppedElsewhere(rank);
  const revive = kinds.get(name);
  const error =
    revive === undefined
      ? Object.assign(new Error(`on rank ${rank}: ${fields.message}`), { name })
      : revive(fields);
  elsewhere.add(error);
  return error;
}

const elsewhere = new WeakSet<Error>();

/** Whether it, or what caused it, was thrown in another process of the run. */
export function thrownElsewhere(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return elsewhere.has(error) || thrownElsewhere(error.cause);
}

const isPlain = (value: unknown): boolean =>
  value === null ||
  ['string', 'number', 'boolean'].includes(typeof value) ||
  (Array.isArray(value) && value.every(isPlain));
