// What a JS thread and its encoding thread say to each other; see encoding-thread.ts.
import type { MessagePort } from 'node:worker_threads';

/**
 * Where a text stands: `start`, as a text of its own; `afterText`, behind other text, so that
 * nothing is put before it; `afterToken`, right behind an added token, where the library begins a
 * new part; `afterNormalizedToken`, right behind one that is matched in normalized text, where the
 * normalizer sees no new part.
 */
export type TextPosition = 'start' | 'afterText' | 'afterToken' | 'afterNormalizedToken';

/**
 * Components, as JSON, that take the place of a tokenizer's own; none: its own one does nothing
 * that others need not.
 */
export interface PositionedComponents {
  /** Where the normalizer is to put nothing before a text. */
  unprefixedNormalizer?: string;
  /** Where the pre-tokenizer is to put nothing before a text. */
  unprefixedPreTokenizer?: string;
  /** Where a part begins that is not the first one of its text. */
  laterPreTokenizer?: string;
}

export interface LoadMessage {
  kind: 'load';
  tokenizer: number;
  /** The whole tokenizer.json. */
  json: string;
  components: PositionedComponents;
  /** The contents of its added tokens. */
  addedTokens: string[];
  /** Regular expressions that nobody knows: with any, the tokenizer gets a process of its own. */
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
  /** Whether offsets are wanted too. */
  offsets: boolean;
}

/** Messages are sent and forgotten; each request is answered before the next message is sent. */
export type Message = LoadMessage | FreeMessage;
export type Request = DescribeRequest | EncodeRequest;

/** What the library makes of a tokenizer.json. */
export interface Description {
  /** Ids that the post-processor puts before a text. */
  prefix: number[];
  /**
   * Id of each added token, in the order of {@link LoadMessage.addedTokens}; null: the library
   * ignores it.
   */
  addedIds: (number | null)[];
  /**
   * What is decoded of each: the content, or its normalized form where the token is matched in
   * normalized text.
   */
  addedTexts: (string | null)[];
}

/** Tokens of several texts, one after the other. */
export interface EncodedBatch {
  /** How many tokens each text has. */
  counts: number[];
  ids: Uint32Array<ArrayBuffer>;
  /** UTF-16 offsets into the token's own text; null where they were not wanted. */
  starts: Uint32Array<ArrayBuffer> | null;
  ends: Uint32Array<ArrayBuffer> | null;
}

export type Answer<Value> = { value: Value } | { error: string };

export interface EncodingThreadStart {
  port: MessagePort;
  /** Two Int32: {@link ANSWERED}, {@link STARTED}. */
  state: SharedArrayBuffer;
}

/** How many answers have been posted. */
export const ANSWERED = 0;
/** Set to 1 when the thread runs. */
export const STARTED = 1;
