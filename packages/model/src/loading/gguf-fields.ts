import { CheckpointError, quote } from '../formats/checkpoint-error.ts';
import type { GgufFile } from '../formats/gguf.ts';

/**
 * Typed metadata under an architecture's own prefix. A value of the wrong type throws a
 * CheckpointError that names the entry.
 */
export class GgufFields {
  readonly #path: string;
  readonly #file: GgufFile;
  readonly #prefix: string;
  readonly #read = new Set<string>();

  constructor(path: string, file: GgufFile, prefix: string) {
    this.#path = path;
    this.#file = file;
    this.#prefix = prefix;
  }

  count(name: string): number {
    return this.optionalCount(name) ?? this.#missing(name);
  }

  number(name: string): number {
    return this.optionalNumber(name) ?? this.#missing(name);
  }

  text(name: string): string | null {
    const value = this.#get(name);
    if (value === undefined) return null;
    return typeof value === 'string' ? value : this.#wrong(name, value, 'a string');
  }

  optionalCount(name: string): number | null {
    const value = this.#get(name);
    if (value === undefined) return null;
    if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
    return this.#wrong(name, value, 'a whole number above 0');
  }

  /** A count for which 0 means none. */
  countOrNone(name: string): number | null {
    return this.#get(name) === 0 ? null : this.optionalCount(name);
  }

  optionalNumber(name: string): number | null {
    const value = this.#get(name);
    if (value === undefined) return null;
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      return this.#wrong(name, value, 'a number');
    }
    // Stored in float32: 1e-5 is read back as 0.000009999999747378752.
    return Number.isInteger(value) ? value : Number(value.toPrecision(7));
  }

  fail(message: string): never {
    throw new CheckpointError({ file: this.#path }, message);
  }

  /** Fields that nothing has read, without the prefix. */
  unread(): Record<string, unknown> {
    const prefix = `${this.#prefix}.`;
    return Object.fromEntries(
      Object.entries(this.#file.metadata)
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, value]) => [key.slice(prefix.length), value] as const)
        .filter(([name]) => !this.#read.has(name)),
    );
  }

  #get(name: string): unknown {
    this.#read.add(name);
    return this.#file.metadata[`${this.#prefix}.${name}`];
  }

  #missing(name: string): never {
    return this.fail(`has no metadata "${this.#prefix}.${name}"`);
  }

  #wrong(name: string, value: unknown, expected: string): never {
    return this.fail(`metadata "${this.#prefix}.${name}" is ${quote(value)}, expected ${expected}`);
  }
}
