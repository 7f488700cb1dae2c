// A verdict in the making, which survives a reload of the page.
import { useCallback, useState } from 'react';
import { type Draft, emptyDraft } from './verdict.ts';

/**
 * Where a draft is kept. People who share a browser, and a task that is given out again, see the
 * answers in another order, by which the draft would say the opposite.
 */
export const draftKey = (task: string, person: string, answers: readonly unknown[]): string =>
  `keel-draft-${task}-${person}-${hashOf(JSON.stringify(answers))}`;

/** A short hash (FNV-1a), which tells orders of a few answers apart. */
function hashOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++)
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return hash.toString(36);
}

function kept(key: string, answers: number): Draft | null {
  try {
    const draft = JSON.parse(localStorage.getItem(key) ?? 'null') as Draft | null;
    return draft?.ranks.length === answers ? { ...emptyDraft(answers), ...draft } : null;
  } catch {
    // The browser keeps nothing, or something else is in that place.
    return null;
  }
}

function keep(key: string, draft: Draft | null): void {
  try {
    if (draft === null) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(draft));
  } catch {
    // A private window: the draft lasts as long as the page.
  }
}

/** After the server has the verdict. */
export const forgetDraft = (key: string): void => keep(key, null);

/**
 * @param key where the draft is kept
 * @param earlier the verdict that the person gave before; null: none
 */
export function useDraft(key: string, answers: number, earlier: Draft | null) {
  const [draft, setDraft] = useState<Draft>(
    () => kept(key, answers) ?? earlier ?? emptyDraft(answers),
  );
  const change = useCallback(
    (part: Partial<Draft>) =>
      setDraft((before) => {
        const after = { ...before, ...part };
        keep(key, after);
        return after;
      }),
    [key],
  );
  return { draft, change };
}
