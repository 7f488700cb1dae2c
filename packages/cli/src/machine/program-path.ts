import { extname, join } from 'node:path';

/** Path of a program in this folder: TypeScript in a clone, JavaScript in an installed package. */
export const programPath = (name: string): string =>
  join(import.meta.dirname, name + extname(import.meta.filename));
