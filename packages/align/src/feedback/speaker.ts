// Who answers, criticises or revises: a model in this process, or an endpoint.
import type { Message } from '../data/messages.ts';
import type { Rendering } from '../data/rendering.ts';

/** A conversation whose next turn is asked for. */
export interface Conversation {
  messages: readonly Message[];
  /** The other inputs of the chat template. */
  rendering?: Rendering | undefined;
}

/** The next turn of a conversation. */
export interface Said {
  text: string;
  /** Whether the speaker ended its turn; false if it was cut off. */
  ended: boolean;
  /** Why there is no text, in words: the conversation is too long, the endpoint refused. */
  failed?: string;
  /** A special token that the text leaves out; absent if there is none. */
  hidden?: string;
}

export interface SayOptions {
  /** For the random draws; the same seed and conversations give the same turns. */
  seed: number;
  signal?: AbortSignal | undefined;
  /** Called when a turn ends. */
  onTurn?(): void;
}

export interface Speaker {
  /** As shown in the lineage. */
  readonly name: string;
  /** All that its turns depend on, besides conversation and seed. */
  readonly identity: string;
  /**
   * @returns one turn per conversation, in order; null if it was aborted
   * @throws Error if the speaker cannot be asked at all
   */
  say(conversations: readonly Conversation[], options: SayOptions): Promise<Said[] | null>;
}
