import { DEFAULT_DATABASE } from '@keel/studio/names';
import { startStudio } from '@keel/studio/server';
import type { StudioOptions } from '../options/studio.ts';
import { complain, say, sayJson } from '../terminal.ts';
import { StopSignals } from '../training/stop-signals.ts';

export async function run(options: StudioOptions): Promise<number> {
  using stop = new StopSignals((name) => complain(`${name}: closing the Studio`));
  await using studio = await startStudio({
    database: options.database ?? (process.env.KEEL_DATABASE || DEFAULT_DATABASE),
    ...{ host: options.host, port: options.port, url: options.url, owner: options.owner },
    ...{ key: process.env.KEEL_STUDIO_KEY || null, uploadBytes: options.maxUpload * 1e6 },
    ...{ models: options.models ?? [], modelsKey: process.env.KEEL_MODELS_KEY || null },
    ...{ example: options.example, runs: options.runs },
    keel: [process.execPath, ...process.execArgv, process.argv[1]!],
    log: complain,
  });
  const { url, link } = studio;
  if (options.json) sayJson({ type: 'listening', url, link });
  else {
    say(`Keel Studio is at ${url}`);
    say(`To sign in, open ${link}`);
    say(`Preferences are in ${studio.store.name}. Press Ctrl-C to stop.`);
  }
  if (options.open && !options.json && hasScreen()) {
    const { default: open } = await import('open');
    // Where no browser starts, the link is on the terminal.
    await open(link).catch(() => {});
  }
  if (!stop.signal.aborted)
    await new Promise((resolve) => stop.signal.addEventListener('abort', resolve));
  return stop.exitCode;
}

/** Whether a browser would be seen: somebody is at the terminal, and not over SSH. */
function hasScreen(): boolean {
  const { CI, SSH_CONNECTION, DISPLAY, WAYLAND_DISPLAY } = process.env;
  if (!process.stdout.isTTY || CI || SSH_CONNECTION) return false;
  return process.platform !== 'linux' || Boolean(DISPLAY || WAYLAND_DISPLAY);
}
