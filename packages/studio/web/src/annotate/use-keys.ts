// Keys that work anywhere on the page, except where text is written.
import { useEffect, useRef } from 'react';

export type Keys = Readonly<Record<string, () => void>>;

const isWriting = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName) || isTextInput(target));

const isTextInput = (target: HTMLElement): boolean =>
  target instanceof HTMLInputElement && !/^(radio|checkbox|button)$/.test(target.type);

/** @param keys what each key does, by `KeyboardEvent.key` in small letters */
export function useKeys(keys: Keys, isActive: boolean): void {
  const newest = useRef(keys);
  newest.current = keys;
  useEffect(() => {
    if (!isActive) return;
    const pressed = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      const key = event.key.toLowerCase();
      if (isWriting(event.target) && key !== 'escape') return;
      // Enter on a button presses that button.
      if (key === 'enter' && event.target instanceof HTMLButtonElement) return;
      const act = newest.current[key];
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, [isActive]);
}
