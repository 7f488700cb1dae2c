/** What a chat template is rendered with, beside the conversation. */
export interface TemplateSettings {
  /** Default variables, which a row's own override (transformers' chat_template_kwargs). */
  variables?: Record<string, unknown>;
  /** The local date and time that `strftime_now` formats, as 2026-11-28T15:04:05 (default: when it is called). */
  now?: string;
}
