/** Turns ids into text one by one. */
export interface StreamDecoder {
  /** The text that this id completes; empty while a character lacks bytes. */
  push(id: number): string;
  /** What is left, an incomplete character as a replacement mark. The decoder begins anew. */
  end(): string;
}

const trailingMarks = /\uFFFD+$/;

/**
 * Decodes a window of ids again with each new one: from the border before the last, so that
 * decoders which look at the token before (leading spaces of SentencePiece) see it, to the newest.
 * All pieces joined are `decode(all ids)`.
 */
export const createStreamDecoder = (decode: (ids: number[]) => string): StreamDecoder => {
  // ids[0 .. context) are decoded only to be seen; ids[context ..] are those whose text is not all
  // given yet.
  let ids: number[] = [];
  let context = 0;
  let given = '';
  /** Text of the ids after the context. */
  const fresh = (): string => decode(ids).slice(decode(ids.slice(0, context)).length);
  const remainder = (text: string): string =>
    text.startsWith(given) ? text.slice(given.length) : '';
  return {
    push: (id) => {
      ids.push(id);
      const text = fresh();
      // A mark at the end may be the beginning of a character whose other bytes are still to come.
      const settled = text.replace(trailingMarks, '');
      const output = remainder(settled);
      if (settled === text && text !== '') {
        ids = ids.slice(context);
        context = ids.length;
        given = '';
      } else {
        given += output;
      }
      return output;
    },
    end: () => {
      const output = remainder(fresh());
      ids = [];
      context = 0;
      given = '';
      return output;
    },
  };
};
