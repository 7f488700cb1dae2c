// What axe finds on a page: missing labels, contrast, wrong roles and more.
import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** Each violation with its elements; empty if there is none. */
export async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run(),
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
  );
}
