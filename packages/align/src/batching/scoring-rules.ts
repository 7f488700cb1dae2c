/**
 * Which tokens the loss is of. A token is scored where every rule that its row falls under says so.
 */
export interface ScoringRules {
  /** Rows of prompt and completion: the completion only. */
  completionOnlyLoss: boolean;
  /** Chats: the assistant's turns only. */
  assistantOnlyLoss: boolean;
  /** Which of the assistant's turns, where only those are scored. */
  assistantTurns: 'all' | 'last';
}

/** What is scored unless told otherwise. */
export const defaultScoring: ScoringRules = {
  completionOnlyLoss: true,
  assistantOnlyLoss: true,
  assistantTurns: 'all',
};
