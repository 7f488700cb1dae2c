// A project of somebody else, outside of the clone, with Keel's packages installed from tarballs.
import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** The Node that runs the project's programs. */
export const node = process.env.KEEL_TEST_NODE ?? process.execPath;
const builds = join(root, 'packages/torch/build');

export interface Ending {
  code: number;
  stdout: string;
  stderr: string;
}

interface LockFile {
  packages: Record<string, { link?: boolean; resolved?: string }>;
}

export class Project {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'keel-project-')));
  readonly #tarballs = join(this.folder, 'tarballs');
  /** The compiled addon's LibTorch, so that none is installed. */
  readonly #torch = JSON.parse(readFileSync(join(builds, 'current.json'), 'utf8')) as {
    torch: { root: string };
  };

  /** Packs the packages of the clone. @returns names of the tarballs */
  async pack(): Promise<string[]> {
    await this.#expect(process.execPath, join(root, 'scripts/pack.mjs'), this.#tarballs);
    return readdirSync(this.#tarballs).filter((name) => name.endsWith('.tgz'));
  }

  /** The files of a tarball, by the paths that they are installed at. */
  async filesOf(tarball: string): Promise<string[]> {
    const { stdout } = await this.run('tar', 'tzf', join(this.#tarballs, tarball));
    return stdout.trim().split('\n').sort();
  }

  /**
   * Installs the tarballs and TypeScript's types of Node. Other packages have the clone's versions,
   * because the clone's own `npm ci` has left those in npm's cache.
   */
  async install(tarballs: readonly string[]): Promise<void> {
    cpSync(join(root, 'examples/app'), this.folder, { recursive: true });
    cpSync(join(root, 'test/packages/program.ts'), join(this.folder, 'src/program.ts'));
    const manifest = JSON.parse(readFileSync(join(this.folder, 'package.json'), 'utf8'));
    const dependencies = { '@types/node': manifest.devDependencies['@types/node'] };
    const own = { ...manifest, dependencies, devDependencies: {} };
    writeFileSync(join(this.folder, 'package.json'), JSON.stringify(own));
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as LockFile;
    const others = Object.entries(lock.packages).filter(
      ([path, { link }]) => path.startsWith('node_modules/') && link !== true,
    );
    const packages = { '': { dependencies }, ...Object.fromEntries(others) };
    writeFileSync(join(this.folder, 'package-lock.json'), JSON.stringify({ ...lock, packages }));
    const files = tarballs.map((name) => join(this.#tarballs, name));
    const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
    await this.#expect('npm', 'install', ...quiet, ...files);
  }

  /** What the installed packages export: `@keel/align`, `@keel/align/config`, … */
  entries(): string[] {
    const scope = join(this.folder, 'node_modules/@keel');
    return readdirSync(scope).flatMap((name) => {
      const manifest = JSON.parse(readFileSync(join(scope, name, 'package.json'), 'utf8'));
      const paths = Object.keys(manifest.exports).filter((path) => !path.endsWith('.json'));
      return paths.map((path) => `@keel/${name}${path.slice(1)}`);
    });
  }

  /** Puts the clone's compiled addon where `keel setup` looks for one of the same sources. */
  provideAddon(): void {
    const manifest = join(this.folder, 'node_modules/@keel/torch/package.json');
    const { nativeSources } = JSON.parse(readFileSync(manifest, 'utf8'));
    this.#copyAddon(nativeSources);
  }

  /** Adds @keel/torch again as `other-torch`, with other sources and an addon of its own. */
  addOtherTorch(): void {
    const modules = join(this.folder, 'node_modules');
    cpSync(join(modules, '@keel/torch'), join(modules, 'other-torch'), { recursive: true });
    const manifest = join(modules, 'other-torch/package.json');
    const parts = JSON.parse(readFileSync(manifest, 'utf8'));
    writeFileSync(manifest, JSON.stringify({ ...parts, nativeSources: 'other' }));
    this.#copyAddon('other');
  }

  #copyAddon(sources: string): void {
    const target = join(this.folder, 'cache/addons', sources);
    mkdirSync(target, { recursive: true });
    for (const name of readdirSync(builds).filter((one) => !one.startsWith('work-'))) {
      cpSync(join(builds, name), join(target, name), { recursive: true });
    }
  }

  /** Runs a program in the project's folder. */
  run(command: string, ...args: string[]): Promise<Ending> {
    const env = {
      ...process.env,
      PATH: [dirname(node), process.env.PATH].join(delimiter),
      KEEL_CACHE: join(this.folder, 'cache'),
      KEEL_LIBTORCH: this.#torch.torch.root,
    };
    return new Promise((done) => {
      execFile(command, args, { cwd: this.folder, env }, (error, stdout, stderr) => {
        const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : 1;
        done({ code, stdout, stderr: error === null ? stderr : `${error.message}\n${stderr}` });
      });
    });
  }

  async #expect(command: string, ...args: string[]): Promise<void> {
    const { code, stdout, stderr } = await this.run(command, ...args);
    if (code !== 0) throw new Error(`${command} ended with ${code}:\n${stdout}\n${stderr}`);
  }

  delete(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
