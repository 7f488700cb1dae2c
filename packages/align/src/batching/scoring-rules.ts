/**
 * Which tokens the loss covers. A token is scored if every rule that applies to its row allows it.
 */
export interface ScoringRules {
  /** Rows of prompt and completion: only the completion. */
  completionOnlyLoss: boolean;
  /** Chats: only the assistant's turns. */
  assistantOnlyLoss: boolean;
  /** Which of the assistant's turns, if only those are scored. */
  assistantTurns: 'all' | 'last';
}

/** The default rules. */
export const defaultScoring: ScoringRules = {
  completionOnlyLoss: true,
  assistantOnlyLoss: true,
  assistantTurns: 'all',
};
