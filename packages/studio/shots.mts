import { chromium } from 'playwright-core';

const [base, link, out, ...paths] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
const dark = process.env.DARK === '1',
  w = Number(process.env.W ?? 1360),
  h = Number(process.env.H ?? 900);
const ctx = await browser.newContext({
  viewport: { width: w, height: h },
  colorScheme: dark ? 'dark' : 'light',
});
const page = await ctx.newPage();
page.on('console', (m) => {
  if (m.type() === 'error' || m.type() === 'warning') console.log('console', m.text());
});
page.on('pageerror', (e) => console.log('pageerror', e.message));
await page.goto(link!);
let n = 0;
for (const p of paths) {
  const [path, ...acts] = p.split('|');
  await page.goto(base + path!);
  await page.waitForTimeout(2500);
  for (const a of acts) {
    try {
      await page.evaluate(`(async()=>{})()`);
      if (a.startsWith('click:'))
        await page.getByText(a.slice(6), { exact: false }).first().click();
      else if (a.startsWith('btn:'))
        await page
          .getByRole('button', { name: a.slice(4) })
          .first()
          .click();
      else if (a.startsWith('hover:')) {
        const b = await page.locator(a.slice(6)).first().boundingBox();
        await page.mouse.move(b!.x + b!.width / 2, b!.y + b!.height / 2);
      }
      await page.waitForTimeout(900);
    } catch (e) {
      console.log('act', a, String(e).slice(0, 200));
    }
  }
  await page.screenshot({ path: `${out}-${n++}.png`, fullPage: process.env.FULL !== '0' });
}
await browser.close();
