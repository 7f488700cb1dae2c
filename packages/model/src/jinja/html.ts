import { isMarkup, type Markup, mapText, markup, type Text } from './text.ts';

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  "'": '&#39;',
  '"': '&#34;',
};

/** markupsafe's escape(): Markup is returned unchanged. */
export const escapeHtml = (text: Text): Markup =>
  isMarkup(text)
    ? text
    : markup(
        mapText(text, (part) => part.replace(/[&<>'"]/g, (character) => entities[character]!)),
      );
