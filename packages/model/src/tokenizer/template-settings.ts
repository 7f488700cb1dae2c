/** What a chat template is rendered with, beside the conversation. */
export interface TemplateSettings {
  /**
   * Variables that every conversation is rendered with, such as `enable_thinking`; a row's own come
   * first.
   */
  variables?: Record<string, unknown>;
  /**
   * The clock of `strftime_now`, as a local date and time such as 2026-11-28T15:04:05 (default:
   * now).
   */
  now?: string;
}
