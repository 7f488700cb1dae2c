/**
 * The one rule for names that come from a file and become part of a path: shards of an index,
 * templates, commits of the hub, stages, entries. Such a name is one component of a path, the same
 * on every system, and leads nowhere else.
 */
import { shownText } from './shown-text.ts';

/** Bytes that a file system takes in one name. */
const LONGEST = 255;

const devices = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?: *\.| *:|$)/i;

/** Why a name cannot be a file's or a folder's, or null. */
export function nameFault(name: unknown): string | null {
  if (typeof name !== 'string') return 'it is no text';
  if (name === '') return 'it is empty';
  if (/[\\/]/.test(name)) return 'it contains a path separator';
  if (name === '.' || name === '..') return 'it leads to another folder';
  // Two dots alone lead away, but no file of any model is called so either.
  if (name.includes('..')) return 'it contains ".."';
  if (/\p{Cc}/u.test(name)) return 'it contains a control character';
  if (shownText(name) !== name) return 'it contains a character that cannot be seen';
  if (/[<>:"|?*]/.test(name)) return 'it contains one of < > : " | ? *';
  if (/[. ]$/.test(name) || name.startsWith(' ')) return 'it begins or ends with a space or a dot';
  if (devices.test(name)) return 'it is the name of a device on Windows';
  if (!name.isWellFormed()) return 'it is no well-formed text';
  if (Buffer.byteLength(name) > LONGEST) return `it has more than ${LONGEST} bytes`;
  return null;
}

/**
 * A name that came from a file, as one component of a path.
 * @param refuse makes the error of a name that is none, from the fault
 */
export function safeName(name: unknown, refuse: (fault: string) => Error): string {
  const fault = nameFault(name);
  if (fault !== null) throw refuse(fault);
  return name as string;
}

/** As {@link safeName}, for a path below a folder: names with `/` between them. */
export function safePath(path: unknown, refuse: (fault: string) => Error): string {
  if (typeof path !== 'string') throw refuse('it is no text');
  for (const part of path.split('/')) safeName(part, refuse);
  return path;
}
