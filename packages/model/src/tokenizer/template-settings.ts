/** What a chat template is rendered with, besides the conversation. */
export interface TemplateSettings {
  /**
   * Variables for all conversations, such as `enable_thinking`. A row's own variables take
   * precedence.
   */
  variables?: Record<string, unknown>;
  /**
   * The clock of `strftime_now`, as a local date and time such as 2026-11-28T15:04:05 (default:
   * now).
   */
  now?: string;
}
