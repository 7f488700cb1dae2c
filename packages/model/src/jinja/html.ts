import { isMarkup, isText, type Markup, mapText, markup, type Text } from './text.ts';

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  "'": '&#39;',
  '"': '&#34;',
};

/** markupsafe's escape() of text: Markup stays as it is. */
export const escapeHtml = (text: Text): Markup =>
  isMarkup(text)
    ? text
    : markup(
        mapText(text, (part) => part.replace(/[&<>'"]/g, (character) => entities[character]!)),
      );

/** `text` escaped where `like` is Markup. */
export const escapedLike = (like: unknown, text: Text): Text =>
  isMarkup(like) && isText(text) ? escapeHtml(text) : text;
