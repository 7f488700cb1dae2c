// Preferences of people: a store, imports, exports and agreement. Loads no model.
export type { Added, AddOptions } from './store/add-tasks.ts';
export type { ClaimOptions } from './store/claiming.ts';
export type {
  Answer,
  NamedVerdict,
  StoredTask,
  StoredVerdict,
  TaskInput,
  Verdict,
} from './store/items.ts';
export { DEFAULT_DATABASE } from './store/open-database.ts';
export { PreferenceStore } from './store/preference-store.ts';
export type { AnnotationFilter, ListedAnnotation, VoteLine, Votes } from './store/reading.ts';
export { type Choice, choices, type TaskKind, taskKinds } from './store/schema.ts';
