/**
 * One turn of a conversation. Other fields (`name`, `tool_calls`, …) reach the template as they
 * are.
 */
export interface ChatMessage {
  role: string;
  content?: unknown;
  [key: string]: unknown;
}
