import { lostParts } from '@keel/align/internal';

/** Describes what a chat template drops: fields of the assistant, and whole messages of others. */
export function droppedText(lost: readonly string[]): string {
  const { fields, earlier, roles, opened } = lostParts(lost);
  const parts = [
    ...(fields.length > 0 ? [`some of the assistant's text (${fields.join(', ')})`] : []),
    ...(earlier.length > 0
      ? [`some of what the assistant said earlier (${earlier.join(', ')})`]
      : []),
    ...(roles.length > 0 ? [`whole messages (${roles.join(', ')})`] : []),
  ];
  const closed = opened.map((text) => `${text} of the generation prompt`);
  return [...parts, ...closed].join(' and ');
}
