// The time that a person looks at something: not while the page is in the background.
import { useEffect, useRef } from 'react';

/** @returns a function that gives the seconds so far */
export function useSeconds(): () => number {
  const clock = useRef({ sum: 0, since: performance.now() });
  useEffect(() => {
    clock.current = { sum: 0, since: performance.now() };
    const turn = () => {
      const { sum, since } = clock.current;
      const now = performance.now();
      clock.current = document.hidden
        ? { sum: sum + now - since, since: Number.POSITIVE_INFINITY }
        : { sum, since: now };
    };
    document.addEventListener('visibilitychange', turn);
    return () => document.removeEventListener('visibilitychange', turn);
  }, []);
  return () => {
    const { sum, since } = clock.current;
    return (sum + Math.max(0, performance.now() - since)) / 1000;
  };
}
