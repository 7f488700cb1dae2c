import type { Finding } from '../../health/finding.ts';
import type { Health } from '../../health/monitor.ts';
import { html, type Markup } from './markup.ts';

/** What is wrong with the run, and what was checked. */
export function healthSection({ findings, checked }: Health): Markup | null {
  if (checked.length === 0 && findings.length === 0) return null;
  const sorted = findings.toSorted((a, b) => rank(a) - rank(b));
  return html`<section aria-labelledby="health" class="health">
<h2 id="health">Health</h2>
${
  sorted.length === 0
    ? html`<p class="healthy">Nothing found.</p>`
    : html`<ul class="findings">${sorted.map(finding)}</ul>`
}
<p class="note">Checked: ${checked.map(({ looksAt }) => looksAt).join('; ')}.</p>
</section>`;
}

const rank = ({ severity }: Finding): number => (severity === 'serious' ? 0 : 1);

const finding = ({ code, severity, step, what, advice }: Finding): Markup =>
  html`<li class="${severity}"><h3>${severity === 'serious' ? 'Serious' : 'Warning'}: ${code}</h3>
<p>After step ${step}, ${what}.</p><p>${advice}</p></li>
`;
