// Tables of the preference store. Times are ISO 8601 texts in UTC, truth values 0 or 1, and
// structured values JSON texts, so that SQLite and PostgreSQL hold the same.

/** What a person is asked: to compare two answers, to rank several, or to judge one. */
export const taskKinds = ['pair', 'ranking', 'thumb'] as const;
export type TaskKind = (typeof taskKinds)[number];

/**
 * A verdict. `left` and `right` are the positions 0 and 1 of a pair's answers; `up` and `down`
 * judge one answer; `ranked` has its ranks in another column.
 */
export const choices = ['left', 'right', 'tie', 'both_bad', 'up', 'down', 'ranked'] as const;
export type Choice = (typeof choices)[number];

export interface Tables {
  projects: { id: string; name: string; created_at: string };
  /** Every version is kept. */
  guidelines: { project_id: string; version: number; text: string; created_at: string };
  people: { id: string; name: string; created_at: string };
  /** `key`: hash of the content, which makes equal prompts of a project one. */
  prompts: { id: string; project_id: string; key: string; content: string; created_at: string };
  answers: {
    id: string;
    prompt_id: string;
    key: string;
    content: string;
    model: string | null;
    adapter: string | null;
    /** JSON: temperature, seed and others. */
    sampling: string | null;
  };
  tasks: {
    id: string;
    project_id: string;
    prompt_id: string;
    /** Hash of kind, prompt and answers, whatever their order. */
    key: string;
    kind: TaskKind;
    /** People who are to annotate it. */
    overlap: number;
    /** JSON: the length of each answer by its position, in characters. */
    lengths: string;
    /** JSON: other columns of the imported row. */
    columns: string;
    created_at: string;
  };
  /** The order in which answers are shown: drawn once, and never changed. */
  task_answers: { task_id: string; position: number; answer_id: string };
  /** Known right verdicts. */
  gold: { task_id: string; choice: Choice; ranks: string | null; created_at: string };
  /** Who has which slot of a task: no two people can have the same one. */
  claims: {
    task_id: string;
    slot: number;
    person_id: string;
    state: 'held' | 'done';
    claimed_at: string;
  };
  /** A new verdict of the same person is a new version. No row is ever changed. */
  annotations: {
    id: string;
    project_id: string;
    task_id: string;
    person_id: string;
    version: number;
    /** null: the person skipped the task. */
    choice: Choice | null;
    /** JSON: the rank of each position, 1 for the best. */
    ranks: string | null;
    /** How much better the preferred answer is, from 0. */
    strength: number | null;
    /** P(the left answer is better), of a soft label. */
    probability: number | null;
    /** Whether the person saw the answers in the task's order. */
    shown: number;
    flagged: number;
    comment: string | null;
    seconds: number | null;
    /** Version of the guidelines at that time. */
    guidelines: number | null;
    created_at: string;
  };
  /** People who can sign in. `user_id`: whose password and sessions the library keeps. */
  members: {
    person_id: string;
    user_id: string;
    role: 'admin' | 'annotator';
    /** 0 or 1: whether the person may no longer sign in. */
    disabled: number;
    created_at: string;
  };
  /** Which projects an annotator works on. */
  project_members: { project_id: string; person_id: string };
  /** `key`: hash of the code, which only the link has. */
  invitations: {
    id: string;
    key: string;
    /** null: the person chooses the name. */
    name: string | null;
    role: 'admin' | 'annotator';
    /** JSON: ids of projects. */
    projects: string;
    created_at: string;
    expires_at: string;
    used_at: string | null;
  };
  secrets: { name: string; value: string };
}
