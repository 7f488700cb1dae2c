// What axe finds on a page: missing labels, contrast, wrong roles and more.
import axe from 'axe-core';
import type { Page } from 'playwright-core';

/**
 * Each violation with its elements; empty if there is none.
 * @param within selector of what is looked at, such as an open dialog (default: the page)
 */
export async function violationsOf(page: Page, within = 'html'): Promise<string[]> {
  // What fades in has no contrast yet; what turns for ever never ends.
  await page.evaluate(`
    Promise.all(
      document
        .getAnimations()
        .filter(({ effect }) => effect?.getTiming().iterations !== Infinity)
        .map(({ finished }) => finished.catch(() => {})),
    ).then(() => {})
  `);
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(
    (selector) =>
      (globalThis as unknown as { axe: typeof axe }).axe.run(selector, {
        // The head of a dialog is not that of the page, though it is the same element.
        rules: { 'landmark-no-duplicate-banner': { enabled: selector === 'html' } },
      }),
    within,
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
  );
}
