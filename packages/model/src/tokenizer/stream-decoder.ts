/** Turns ids into text one by one. */
export interface StreamDecoder {
  /** The text that this id completes; empty while bytes of a character are missing. */
  push(id: number): string;
  /** The remaining text, with an incomplete character as a replacement mark. Resets the decoder. */
  end(): string;
}

const trailingMarks = /\uFFFD+$/;

/**
 * Decodes a window of ids again for each new id. The window starts before the previous border, so
 * that decoders that depend on the preceding token (leading spaces of SentencePiece) see it. All
 * pieces joined are `decode(all ids)`.
 */
export const createStreamDecoder = (decode: (ids: number[]) => string): StreamDecoder => {
  // ids[0 .. context) are decoded only as context. The text of ids[context ..] has not been fully
  // returned yet.
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
      // A mark at the end may be the start of a character whose other bytes are still missing.
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
