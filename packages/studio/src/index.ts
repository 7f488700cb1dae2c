// Preferences of people: a store, imports, exports and agreement. Loads no model.
export {
  type AgreementReport,
  agreementOf,
  type Habits,
  type KindAgreement,
  type PersonAgreement,
} from './agreement/agreement.ts';
export { type Consensus, type ConsensusUnit, consensusOf } from './agreement/consensus.ts';
export {
  type Confusion,
  type PersonQuality,
  projectQuality,
  type QualityFlag,
  qualityFlags,
  qualityOf,
} from './agreement/quality.ts';
export { checkConsensus, writeConsensus } from './agreement/write-consensus.ts';
export { type Arena, type ArenaOptions, arenaOf } from './arena/arena.ts';
export { type AskedFiles, prioritiseTasks } from './asking/prioritise-tasks.ts';
export {
  type SuggestHooks,
  type SuggestOptions,
  type SuggestResult,
  suggestTasks,
} from './asking/suggest-tasks.ts';
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
export {
  importPriorities,
  type PriorityOptions,
  type PrioritySummary,
} from './importing/import-priorities.ts';
export type { AdminAction } from './names.ts';
export { type RoundOptions, roundOptions } from './rounds/round-options.ts';
export { type Round, Rounds, type RoundsOptions } from './rounds/rounds.ts';
export { RoundError, type WatchedRound, WatchedRounds } from './rounds/watched-rounds.ts';
export type { ActionFilter, LoggedAction } from './store/action-log.ts';
export { actionText } from './store/action-text.ts';
export type { Added, AddOptions } from './store/add-tasks.ts';
export type {
  BattleCount,
  BattleFilter,
  BattleOptions,
  BattleTurn,
  BattleView,
  GivenVote,
  SideStyles,
  StoredBattle,
} from './store/battles.ts';
export type { ClaimOptions } from './store/claiming.ts';
export type {
  Adjudication,
  Answer,
  Edit,
  HistoryLine,
  ListedClaim,
  NamedVerdict,
  NextTask,
  Pace,
  Progress,
  StoredTask,
  StoredVerdict,
  TaskInput,
  TaskView,
  Verdict,
} from './store/items.ts';
export { PreferenceStore } from './store/preference-store.ts';
export type {
  ListedTask,
  Paging,
  ProjectOverview,
  TaskDetail,
  TaskFilter,
} from './store/project-pages.ts';
export type { AnnotationFilter, ListedAnnotation } from './store/reading.ts';
export { readyAspects } from './store/ready-aspects.ts';
export type { BattleReason, BattleVote, Choice, ClaimReason, TaskKind } from './store/schema.ts';
export type { Aspect, ProjectSettings, SettingsPatch } from './store/settings.ts';
export {
  type JudgeSuggestion,
  type Suggestion,
  withoutExpectations,
} from './store/suggestions.ts';
export type { SideRun, VotedTask, VoteLine, Votes, VotesOptions } from './store/votes.ts';
export { WatchError } from './watching/folders/watch-error.ts';
export { RunWatcher, type WatcherOptions } from './watching/run-watcher.ts';
export { WatchedFolder } from './watching/watched-folder.ts';
