// Words that say what a text is about, roughly: without endings and without common words.

const common = new Set(
  (
    'the and for are was were with that this what how can you your his her their from have has had ' +
    'does did not but who why when where which about into out off our its they them any all some ' +
    'would should could will may one best way make get give tell good actually really people person'
  ).split(' '),
);

/** "kill" and "killing", "dog" and "dogs" share their first letters. */
const STEM = 6;

export const stemsOf = (text: string): Set<string> =>
  new Set(
    (text.toLowerCase().match(/\p{L}{3,}/gu) ?? [])
      .filter((word) => !common.has(word))
      .map((word) => word.slice(0, STEM)),
  );

export const sharedStems = (asked: ReadonlySet<string>, said: ReadonlySet<string>): number =>
  [...asked].filter((stem) => said.has(stem)).length;
