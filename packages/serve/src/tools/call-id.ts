import { randomBytes } from 'node:crypto';
import type { ToolFormat } from './tool-formats.ts';

/** A new id of a tool call. Mistral's templates demand nine letters and digits. */
export function newCallId({ name }: ToolFormat): string {
  const letters = randomBytes(12).toString('hex');
  return name === 'mistral' ? letters.slice(0, 9) : `call_${letters}`;
}
