import { html, type Markup } from './markup.ts';
import type { WhatRan } from './report-data.ts';

/** What ran, and commands for the next steps. */
export function ranSection({ facts, commands = [], config, configName }: WhatRan): Markup {
  return html`<section aria-labelledby="ran">
<h2 id="ran">What ran</h2>
${
  commands.length > 0 &&
  html`<div class="commands">${commands.map(
    ({ label, command }) =>
      html`<div class="command"><h3>${label}</h3><pre tabindex="0"><code>${command}</code></pre><button type="button" data-copy="${command}" hidden>Copy</button></div>`,
  )}</div>`
}
<dl class="facts">${facts.map(({ label, value }) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>
${config && html`<details class="config"><summary>${configName ?? 'Every option (config.yaml)'}</summary><pre tabindex="0"><code>${config}</code></pre></details>`}
</section>`;
}
