/**
 * Limits the cost of one rendering. A chat template comes with a model, and one that never ends, or
 * that doubles its text in a loop, must stop with an error. Every loop, call and operation spends
 * steps; long texts and lists spend more.
 */
import { PythonError } from './errors.ts';

/**
 * Maximum number of steps in one rendering, about a second. Templates of model families take a few
 * thousand for a long conversation.
 */
export const MOST_STEPS = 10_000_000;
/** Maximum length of one text, in UTF-16 units. */
export const LONGEST_TEXT = 1 << 26;
/** Maximum number of items in one list. */
export const LONGEST_LIST = 10_000_000;
/** Maximum length of a template's source, in UTF-16 units. */
export const LONGEST_SOURCE = 1_000_000;

// Rendering is synchronous, so one counter suffices. Nothing is counted outside a rendering.
let left = Number.POSITIVE_INFINITY;

/** Runs one rendering with its own budget. */
export const withBudget = <T>(body: () => T): T => {
  const outer = left;
  left = MOST_STEPS;
  try {
    return body();
  } finally {
    left = outer;
  }
};

/** @throws PythonError if the rendering has used up its steps */
export const spend = (steps: number): void => {
  left -= steps;
  if (left < 0) {
    throw new PythonError(
      'RuntimeError',
      `the template needs more than ${MOST_STEPS.toLocaleString('en')} steps`,
    );
  }
};

/** Call this before creating a text of this length. @throws PythonError if it is too long */
export const makeRoom = (length: number): void => {
  if (length > LONGEST_TEXT) {
    throw new PythonError(
      'MemoryError',
      `the template creates a text of more than ${LONGEST_TEXT.toLocaleString('en')} characters`,
    );
  }
  spend(length >>> 10);
};

/** Call this before creating a list of this length. @throws PythonError if it is too long */
export const makeRoomForItems = (length: number): void => {
  if (length > LONGEST_LIST) {
    throw new PythonError(
      'MemoryError',
      `the template creates a list of more than ${LONGEST_LIST.toLocaleString('en')} items`,
    );
  }
  spend(length >>> 4);
};

/** Repeats a text. @throws PythonError if the result is too long */
export const repeated = (text: string, count: number): string => {
  makeRoom(text.length * count);
  return text.repeat(count);
};
