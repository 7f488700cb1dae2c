// Opens a store, which updates its tables, and closes it.
import { PreferenceStore } from '../preference-store.ts';

await using _ = await PreferenceStore.open(process.argv[2]!);
