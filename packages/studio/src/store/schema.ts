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

/** Who won a battle, by the side on which the person saw the answer. */
export const battleVotes = ['left', 'right', 'tie', 'both_bad'] as const;
export type BattleVote = (typeof battleVotes)[number];

/** Why a person was given a task. */
export const claimReasons = ['added', 'random', 'priority', 'gold'] as const;
export type ClaimReason = (typeof claimReasons)[number];

/**
 * Why two models met in a battle: their votes would narrow the intervals of the ratings most, or by
 * chance.
 */
export const battleReasons = ['information', 'random'] as const;
export type BattleReason = (typeof battleReasons)[number];

export interface Tables {
  projects: {
    id: string;
    name: string;
    created_at: string;
    /** JSON: those settings that are not the default. */
    settings: string;
  };
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
    /** Larger ones come first, where the project's order is that of priorities. */
    priority: number;
    /** Who set the priority; null: nobody. */
    priority_source: string | null;
    // What follows can be computed from other tables. Every write that changes it keeps it right.
    /** Whether the right verdict is known. */
    is_gold: number;
    /** People who hold the task or have a verdict on it. */
    taken: number;
    /** People with a verdict, and people who skipped the task: by the newest version. */
    verdicts: number;
    skips: number;
    /** People who flagged it. */
    flags: number;
    /** Share of the pairs of people who disagree, from 0 to 1. */
    dispute: number;
    adjudicated: number;
    answered_at: string | null;
    /** The newest verdicts in a short form (packed-votes.ts); null: not counted yet. */
    votes: string | null;
  };
  /**
   * The order of the answers that verdicts refer to: drawn once, and never changed. Each person
   * sees an order of their own.
   */
  task_answers: { task_id: string; position: number; answer_id: string };
  /** Known right verdicts. */
  gold: { task_id: string; choice: Choice; ranks: string | null; created_at: string };
  /** Who has which slot of a task: no two people can have the same one. */
  claims: {
    task_id: string;
    /** The task's. */
    project_id: string;
    /** From 0; negative for people who skipped the task, whose slots are free again. */
    slot: number;
    person_id: string;
    state: 'held' | 'done' | 'skipped';
    claimed_at: string;
    /** JSON: positions of the task's answers as the person sees them; null: not drawn. */
    shown_order: string | null;
    /** null: the verdict was imported. */
    reason: ClaimReason | null;
    /** The task's priority at that time, if the reason is one. */
    priority: number | null;
    priority_source: string | null;
    /** Whether a held task has a verdict of this person, who wants to change it. */
    reopened: number;
  };
  /** A new verdict of the same person is a new version. Only `newest` of a row ever changes. */
  annotations: {
    id: string;
    project_id: string;
    task_id: string;
    person_id: string;
    version: number;
    /** Whether it is the newest version of the person's verdict. */
    newest: number;
    /** null: the person skipped the task. */
    choice: Choice | null;
    /** JSON: the rank of each position, 1 for the best. */
    ranks: string | null;
    /** How much better the preferred answer is, from 0. */
    strength: number | null;
    /** P(the left answer is better), of a soft label. */
    probability: number | null;
    /** Position of the answer that was shown first (on the left), plus 1; 0: not known. */
    shown: number;
    /** JSON: positions of the task's answers as the person saw them; null: see `shown`. */
    shown_order: string | null;
    /** JSON: {aspect: a rating of each position}. */
    ratings: string | null;
    /** JSON: {answer, text}, a better answer that the person wrote. */
    edit: string | null;
    flagged: number;
    comment: string | null;
    seconds: number | null;
    /** Version of the guidelines at that time. */
    guidelines: number | null;
    /**
     * 0 or 1: whether the person had been shown what a judge or a reward model expects of the task;
     * null: not known, of verdicts from before this was recorded.
     */
    after_suggestion: number | null;
    created_at: string;
  };
  /** Verdicts that outrank those of people who annotate. The newest version counts. */
  adjudications: {
    id: string;
    project_id: string;
    task_id: string;
    person_id: string;
    version: number;
    choice: Choice;
    ranks: string | null;
    strength: number | null;
    ratings: string | null;
    edit: string | null;
    comment: string | null;
    created_at: string;
  };
  /** Conversations of a person with two models at once, whose sides are drawn. */
  battles: {
    id: string;
    project_id: string;
    person_id: string;
    model_left: string;
    model_right: string;
    category: string | null;
    /** JSON: [{prompt, left, right}] */
    turns: string;
    /** null: the person has not voted. */
    vote: BattleVote | null;
    comment: string | null;
    seconds: number | null;
    /** What in the answers names a model or its maker; null: nothing. */
    leak: string | null;
    /** JSON: the style of both sides; null: not counted yet. */
    styles: string | null;
    /** null: who started the battle named the models. */
    reason: BattleReason | null;
    /**
     * By which share a vote was expected to reduce the variance of all differences of ratings; null
     * without a reason.
     */
    gain: number | null;
    created_at: string;
    voted_at: string | null;
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
  /** What judges expect of pairs. People learn it after their verdict. */
  suggestions: {
    task_id: string;
    /** The judge's name. */
    source: string;
    /** P(the answer at position 0 is better), with half of a tie. */
    probability: number;
    created_at: string;
  };
  /** Who was shown suggestions on which task, for the first time. */
  shown_suggestions: {
    task_id: string;
    person_id: string;
    /** null: whether they were shown is not known, from before this was recorded. */
    shown_at: string | null;
  };
  /** What admins did: never changed, and not deleted with a project. */
  admin_actions: {
    id: string;
    /** Who did it; null: a program. */
    person: string | null;
    action: string;
    /** Name of the project at that time; null: it was about none. */
    project: string | null;
    /** JSON. */
    details: string;
    created_at: string;
  };
  /** Trainings on a project's labels. */
  rounds: {
    project_id: string;
    number: number;
    /** Path below the folder of runs. */
    run: string;
    /** JSON: what was chosen. */
    options: string;
    train_rows: number;
    held_out_rows: number;
    created_at: string;
    /** When its new answers became tasks, and how many; null: not yet. */
    collected_at: string | null;
    new_tasks: number | null;
  };
  secrets: { name: string; value: string };
}
