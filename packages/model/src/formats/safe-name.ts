/**
 * The one rule for names that come from a file and become part of a path: shards of an index,
 * templates, commits of the hub, stages, entries. Such a name must be a single path component that
 * is valid on every system and does not lead to another folder.
 */
import { shownText } from './shown-text.ts';

/** Most bytes that a file system accepts in one name. */
const LONGEST = 255;

const devices = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?: *\.| *:|$)/i;

/** Why a name cannot be a file's or a folder's name, or null. */
export function nameFault(name: unknown): string | null {
  if (typeof name !== 'string') return 'it is not text';
  if (name === '') return 'it is empty';
  if (/[\\/]/.test(name)) return 'it contains a path separator';
  if (name === '.' || name === '..') return 'it leads to another folder';
  // Only the name ".." itself leads elsewhere, but no model's file name contains two dots.
  if (name.includes('..')) return 'it contains ".."';
  if (/\p{Cc}/u.test(name)) return 'it contains a control character';
  if (shownText(name) !== name) return 'it contains an invisible character';
  if (/[<>:"|?*]/.test(name)) return 'it contains one of < > : " | ? *';
  if (/[. ]$/.test(name) || name.startsWith(' '))
    return 'it starts or ends with a space, or ends with a dot';
  if (devices.test(name)) return 'it is the name of a device on Windows';
  if (!name.isWellFormed()) return 'it is not well-formed text';
  if (Buffer.byteLength(name) > LONGEST) return `it has more than ${LONGEST} bytes`;
  return null;
}

/**
 * Checks a name that came from a file, for use as one component of a path.
 * @param refuse makes the error for an invalid name, from the fault
 */
export function safeName(name: unknown, refuse: (fault: string) => Error): string {
  const fault = nameFault(name);
  if (fault !== null) throw refuse(fault);
  return name as string;
}

/** As {@link safeName}, for a path below a folder: names separated by `/`. */
export function safePath(path: unknown, refuse: (fault: string) => Error): string {
  if (typeof path !== 'string') throw refuse('it is not text');
  for (const part of path.split('/')) safeName(part, refuse);
  return path;
}
