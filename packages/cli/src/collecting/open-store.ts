import { PreferenceStore } from '@keel/studio';
import { DEFAULT_DATABASE } from '@keel/studio/names';

/** The store that --database or KEEL_DATABASE names, otherwise a file in the current folder. */
export const openStore = (database: string | null): Promise<PreferenceStore> =>
  PreferenceStore.open(database ?? (process.env.KEEL_DATABASE || DEFAULT_DATABASE));
