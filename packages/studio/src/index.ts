// Preferences of people: a store, imports, exports and agreement. Loads no model.
export {
  type AgreementReport,
  agreementOf,
  type Habits,
  type KindAgreement,
  type PersonAgreement,
} from './agreement/agreement.ts';
export { type Consensus, type ConsensusUnit, consensusOf } from './agreement/consensus.ts';
export { checkConsensus, writeConsensus } from './agreement/write-consensus.ts';
export {
  checkExport,
  type ExportOptions,
  type ExportSummary,
  exportProject,
} from './exporting/export-project.ts';
export {
  type ImportOptions,
  type ImportSummary,
  importFiles,
} from './importing/import-files.ts';
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
export { PreferenceStore } from './store/preference-store.ts';
export type {
  AnnotationFilter,
  ListedAnnotation,
  VotedTask,
  VoteLine,
  Votes,
} from './store/reading.ts';
export type { Choice, TaskKind } from './store/schema.ts';
