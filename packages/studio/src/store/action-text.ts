// What is noted of an action, in words. No imports: the pages use it, too.

/**
 * `overlap 4 (was 1), aspects helpful, risky (was none)`; parts that say nothing are left out.
 * @param details as {@link PreferenceStore.actions} returns them
 */
export const actionText = (details: Readonly<Record<string, unknown>>): string =>
  Object.entries(details)
    .filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => `${words(name)} ${changeText(value)}`)
    .join(', ');

/** `randomShare` -> `random share` */
const words = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

function changeText(value: unknown): string {
  if (!isRecord(value) || !('from' in value && 'to' in value)) return valueText(value);
  return `${valueText(value.to)} (was ${valueText(value.from)})`;
}

function valueText(value: unknown): string {
  if (typeof value === 'string') return value === '' ? 'none' : cut(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (value === null || value === undefined) return 'none';
  if (Array.isArray(value)) return value.map(valueText).join(', ') || 'none';
  if (!isRecord(value)) return String(value);
  // An aspect has a key.
  return typeof value.key === 'string' ? value.key : cut(JSON.stringify(value));
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Guidelines are long. */
const cut = (text: string): string => (text.length > 80 ? `${text.slice(0, 79)}…` : text);
