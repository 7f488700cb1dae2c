// @keel/studio/names: what options of the command line can be. Loads nothing.

/** The file of the store where nothing else is named. */
export const DEFAULT_DATABASE = 'keel-studio.sqlite';

/** Formats of `keel data import` that are not those of `keel data convert`. */
export const taskFormatNames = [
  'argilla',
  'label-studio',
  'label-studio-min',
  'battles',
  'samples',
] as const;
export type TaskFormatName = (typeof taskFormatNames)[number];

/** What a project can be exported as. */
export const exportTargets = [
  'pairs',
  'rankings',
  'kto',
  'demonstrations',
  'battles',
  'argilla',
  'label-studio',
] as const;
export type ExportTarget = (typeof exportTargets)[number];

/** How several verdicts become one label. */
export const labelKinds = ['majority', 'votes'] as const;
export type LabelKind = (typeof labelKinds)[number];

/** What admins can do that is noted. */
export const adminActions = [
  ...(['project created', 'project renamed', 'project deleted'] as const),
  ...(['settings changed', 'guidelines changed', 'priorities set'] as const),
  ...(['rows imported', 'rows exported', 'suggestions added', 'round started'] as const),
  ...(['person invited', 'invitation withdrawn', 'person joined'] as const),
  ...(['role changed', 'projects changed', 'person removed', 'person restored'] as const),
] as const;
export type AdminAction = (typeof adminActions)[number];
