// Keys that work anywhere on the page, except where text is written.
import { useLayoutEffect, useRef } from 'react';

export type Keys = Readonly<Record<string, () => void>>;

const isWriting = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName) || isTextInput(target));

const isTextInput = (target: HTMLElement): boolean =>
  target instanceof HTMLInputElement && !/^(radio|checkbox|button)$/.test(target.type);

const scrolled = 'input[type="radio"], pre, [data-scrollarea-viewport]';

/**
 * Whether an element has a use for a key: Enter presses a link, arrows choose among stars and
 * scroll code.
 */
const isOwnKey = (target: Element, key: string): boolean => {
  if (key === 'enter') return target.closest('a, button:not([role="radio"]), summary') !== null;
  return key.startsWith('arrow') && target.matches(scrolled);
};

/** @param keys what each key does, by `KeyboardEvent.key` in small letters */
export function useKeys(keys: Keys, isActive: boolean): void {
  const newest = useRef(keys);
  newest.current = keys;
  // As soon as what they do is on the screen.
  useLayoutEffect(() => {
    if (!isActive) return;
    const pressed = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      const key = event.key.toLowerCase();
      const { target } = event;
      // A key that is held down sends and skips one task, not all that follow.
      if (event.repeat && !key.startsWith('arrow')) return;
      if (isWriting(target) && key !== 'escape') return;
      if (target instanceof Element && isOwnKey(target, key)) return;
      const act = newest.current[key];
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, [isActive]);
}
