/**
 * What one rendering may cost. A chat template comes with a model, and one that never ends, or that
 * doubles its text in a loop, must stop with an error. Every loop, call and operation spends steps;
 * long texts and lists spend more.
 */
import { PythonError } from './errors.ts';

/**
 * Steps of one rendering: a second or so. Templates of model families take a few thousand for a
 * long conversation.
 */
export const MOST_STEPS = 10_000_000;
/** UTF-16 units of one text. */
export const LONGEST_TEXT = 1 << 26;
/** Items of one list. */
export const LONGEST_LIST = 10_000_000;
/** UTF-16 units of a template's source. */
export const LONGEST_SOURCE = 1_000_000;

// Rendering is synchronous, so one counter serves all. Outside of a rendering nothing is counted.
let left = Number.POSITIVE_INFINITY;

/** Runs one rendering with a budget of its own. */
export const withBudget = <T>(body: () => T): T => {
  const outer = left;
  left = MOST_STEPS;
  try {
    return body();
  } finally {
    left = outer;
  }
};

/** @throws PythonError where the rendering has used up its steps */
export const spend = (steps: number): void => {
  left -= steps;
  if (left < 0) {
    throw new PythonError(
      'RuntimeError',
      `the template takes more than ${MOST_STEPS.toLocaleString('en')} steps`,
    );
  }
};

/** To be called before a text of this length is made. @throws PythonError where it is too long */
export const makeRoom = (length: number): void => {
  if (length > LONGEST_TEXT) {
    throw new PythonError(
      'MemoryError',
      `the template makes a text of more than ${LONGEST_TEXT.toLocaleString('en')} characters`,
    );
  }
  spend(length >>> 10);
};

/** To be called before a list of this length is made. @throws PythonError where it is too long */
export const makeRoomForItems = (length: number): void => {
  if (length > LONGEST_LIST) {
    throw new PythonError(
      'MemoryError',
      `the template makes a list of more than ${LONGEST_LIST.toLocaleString('en')} items`,
    );
  }
  spend(length >>> 4);
};

/** A text several times. @throws PythonError where that is too long */
export const repeated = (text: string, count: number): string => {
  makeRoom(text.length * count);
  return text.repeat(count);
};
