import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// Golden numbers and real data are stored outside the repository, in development checkouts only.
// Tests skip if they are absent.
const shared = fileURLToPath(new URL('../../../../../shared/', import.meta.url));

const existing = (path: string): string | null => (existsSync(path) ? path : null);

/** Path of a golden file or folder, or null if the golden files are absent. */
export const goldenPath = (name: string): string | null => existing(`${shared}golden/${name}`);

/** Path of a file of the shared test data, or null if it is absent. */
export const sharedDataPath = (name: string): string | null => existing(`${shared}data/${name}`);
