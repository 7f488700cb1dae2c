// What a browser says of a page: whether it fits, and what of it cannot be read.
import type { Page } from 'playwright-core';

/** By how many pixels the page is wider than the screen. */
export const overflowOf = (page: Page): Promise<number> =>
  page.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );

/**
 * Texts that are cut off at a side, and that nobody can scroll to. Texts that end in an ellipsis
 * are whole elsewhere.
 */
export const cutTexts = (page: Page): Promise<string[]> =>
  page.evaluate<string[]>(`(() => {
  const cut = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const text = node.textContent.trim();
    const parent = node.parentElement;
    if (text === '' || !parent.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
      continue;
    if (parent.closest('script, style, noscript, .skip') !== null) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const { left, right, width } of range.getClientRects()) {
      if (width >= 1 && isCut(parent, left, right)) cut.add(text.slice(0, 60));
    }
  }
  return [...cut];
  function isCut(parent, left, right) {
    for (let one = parent; one !== null; one = one.parentElement) {
      const style = getComputedStyle(one);
      // Only for screen readers.
      if (style.clip !== 'auto' || style.clipPath !== 'none') return false;
      if (/auto|scroll/.test(style.overflowX) && one !== document.documentElement) return false;
      const isEllipsis = style.textOverflow === 'ellipsis' || style.webkitLineClamp !== 'none';
      if (/hidden|clip/.test(style.overflowX)) {
        const box = one.getBoundingClientRect();
        if (left < box.left - 1 || right > box.right + 1) return !isEllipsis;
      }
    }
    return left < -1 || right > innerWidth + 1;
  }
})()`);
