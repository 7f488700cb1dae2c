import { fileURLToPath } from 'node:url';

const golden = new URL('../../../../test/golden/', import.meta.url);

/** Path of a file or folder of test/golden, whose README.md says what each holds. */
export const goldenPath = (name: string): string => fileURLToPath(new URL(name, golden));
