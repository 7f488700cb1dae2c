/**
 * One turn of a conversation. Other fields (`name`, `tool_calls`, …) are passed to the template
 * unchanged.
 */
export interface ChatMessage {
  role: string;
  content?: unknown;
  [key: string]: unknown;
}
