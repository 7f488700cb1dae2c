import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// Golden numbers and real data lie beside a development checkout; users have none, so tests skip
// without them.
const shared = fileURLToPath(new URL('../../../../../shared/', import.meta.url));

const existing = (path: string): string | null => (existsSync(path) ? path : null);

/** Path of a golden file or folder, or null where the golden files are absent. */
export const goldenPath = (name: string): string | null => existing(`${shared}golden/${name}`);

/** Path of a file of the shared test data, or null where it is absent. */
export const sharedDataPath = (name: string): string | null => existing(`${shared}data/${name}`);
