// The messages between a JS thread and its encoding thread; see encoding-thread.ts.
import type { MessagePort } from 'node:worker_threads';

/**
 * Position of a text. `start`: a separate text. `afterText`: after other text, so that nothing is
 * put before it. `afterToken`: directly after an added token, where the library starts a new part.
 * `afterNormalizedToken`: directly after an added token that is matched in normalized text, where
 * the normalizer sees no new part.
 */
export type TextPosition = 'start' | 'afterText' | 'afterToken' | 'afterNormalizedToken';

/**
 * Components, as JSON, that replace a tokenizer's own. A missing one means that the tokenizer's own
 * works unchanged.
 */
export interface PositionedComponents {
  /** Normalizer that puts nothing before a text. */
  unprefixedNormalizer?: string;
  /** Pre-tokenizer that puts nothing before a text. */
  unprefixedPreTokenizer?: string;
  /** Pre-tokenizer for the start of a part that is not the first one of its text. */
  laterPreTokenizer?: string;
}

export interface LoadMessage {
  kind: 'load';
  tokenizer: number;
  /** The whole tokenizer.json. */
  json: string;
  components: PositionedComponents;
  /** The texts of its added tokens. */
  addedTokens: string[];
  /** Unknown regular expressions. If there are any, the tokenizer gets a separate process. */
  patterns: string[];
}

export interface FreeMessage {
  kind: 'free';
  tokenizer: number;
}

export interface DescribeRequest {
  kind: 'describe';
  tokenizer: number;
}

export interface EncodeRequest {
  kind: 'encode';
  tokenizer: number;
  texts: readonly string[];
  position: TextPosition;
  /** Whether offsets are needed, too. */
  offsets: boolean;
}

/** Messages get no response; each request is answered before the next message is sent. */
export type Message = LoadMessage | FreeMessage;
export type Request = DescribeRequest | EncodeRequest;

/** The library's interpretation of a tokenizer.json. */
export interface Description {
  /** Ids that the post-processor puts before a text. */
  prefix: number[];
  /**
   * Id of each added token, in the order of {@link LoadMessage.addedTokens}; null: the library
   * ignores it.
   */
  addedIds: (number | null)[];
  /**
   * The decoded form of each added token: its content, or its normalized form if it is matched in
   * normalized text.
   */
  addedTexts: (string | null)[];
}

/** Tokens of several texts, one after the other. */
export interface EncodedBatch {
  /** Number of tokens in each text. */
  counts: number[];
  ids: Uint32Array<ArrayBuffer>;
  /** UTF-16 offsets into the token's own text; null if they were not requested. */
  starts: Uint32Array<ArrayBuffer> | null;
  ends: Uint32Array<ArrayBuffer> | null;
}

export type Answer<Value> = { value: Value } | { error: string };

export interface EncodingThreadStart {
  port: MessagePort;
  /** Three Int32: {@link ANSWERED}, {@link STARTED}, {@link ENDED}. */
  state: SharedArrayBuffer;
}

/** Index of the number of posted answers. */
export const ANSWERED = 0;
/** Index of the flag that is 1 once the thread runs. */
export const STARTED = 1;
/** Index of the flag that is 1 once the thread has ended, for whatever reason. */
export const ENDED = 2;
