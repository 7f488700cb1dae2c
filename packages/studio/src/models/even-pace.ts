// Two texts at one pace while they are written, so that nobody recognises a model by its speed.

/** Time, which a test can make itself. */
export interface Clock {
  /** In milliseconds. */
  now(): number;
  /** Until texts are shown again. @throws when nobody wants the texts any more */
  wait(): Promise<void>;
}

interface Writing {
  text: string;
  ended: boolean;
  /** Characters before both had begun. */
  before: number;
  /** When the last part came. */
  last: number;
}

/** Share of the slower writer's speed: it is seldom waited for, so both texts run evenly. */
const SHARE = 0.9;
/** Milliseconds after which a speed is known well enough. */
const LEAST = 300;

/**
 * What two writers write, always as many characters of both. Nothing comes before both have begun.
 * Then both come at the speed of the slower one, also when it has ended: the rest of the other one
 * would tell by its speed who is who.
 * @returns the next characters of both; '' for one that has ended
 * @throws what a writer throws, as soon as it does
 */
export async function* evenly(
  writers: readonly [AsyncIterable<string>, AsyncIterable<string>],
  clock: Clock,
): AsyncGenerator<[string, string]> {
  const writings = writers.map((): Writing => ({ text: '', ended: false, before: 0, last: 0 }));
  let fault: { error: unknown } | null = null;
  for (const [at, writer] of writers.entries())
    void read(writer, writings[at]!, clock).catch((error: unknown) => {
      fault ??= { error };
    });
  const [left, right] = writings as [Writing, Writing];
  const asked = clock.now();
  let begun: number | null = null;
  let [shown, time] = [0, 0];
  const places = [0, 0];
  for (;;) {
    await clock.wait();
    if (fault !== null) throw (fault as { error: unknown }).error;
    if (writings.some(({ text, ended }) => text === '' && !ended)) continue;
    const now = clock.now();
    if (begun === null) {
      begun = time = now;
      for (const one of writings) one.before = one.text.length;
    }
    const speed = Math.min(...writings.map((one) => speedOf(one, asked, begun!, now)));
    const written = Math.min(availableOf(left), availableOf(right));
    const step = speed === Infinity ? Infinity : SHARE * speed * (now - time);
    shown = Math.min(shown + step, written);
    time = now;
    const parts = writings.map(({ text }, at) => {
      const end = placeIn(text, Math.floor(shown));
      const part = text.slice(places[at], end);
      places[at] = end;
      return part;
    });
    if (parts.some((part) => part !== '')) yield parts as [string, string];
    if (writings.every(({ text, ended }, at) => ended && places[at] === text.length)) return;
  }
}

async function read(writer: AsyncIterable<string>, writing: Writing, clock: Clock): Promise<void> {
  for await (const part of writer) {
    writing.text += part;
    writing.last = clock.now();
  }
  writing.ended = true;
}

/**
 * Characters in a millisecond: since both have begun, or since they were asked if that is faster,
 * since a writer may stop for a while. One that had ended before is as fast as can be.
 */
function speedOf(
  { text: { length }, ended, before, last }: Writing,
  asked: number,
  begun: number,
  now: number,
): number {
  if (ended && last <= begun) return Infinity;
  const end = ended ? last : now;
  if (!ended && end - begun < LEAST) return 0;
  return Math.max((length - before) / (end - begun), length / (end - asked));
}

/** An ended text is no limit. */
const availableOf = ({ text, ended }: Writing): number => (ended ? Infinity : text.length);

/** Not between the two halves of a character. */
function placeIn(text: string, place: number): number {
  if (place >= text.length) return text.length;
  const code = text.charCodeAt(place);
  return code >= 0xdc00 && code <= 0xdfff ? place + 1 : place;
}
