import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../', import.meta.url));

export interface Ending {
  code: number | null;
  output: string;
}

/**
 * A copy of setup in a separate folder, on a machine whose npm, python3, g++ and cmake are small
 * shell programs: they record their calls and create what the real ones would.
 */
export class FakeMachine {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'keel-setup-')));
  readonly clone = join(this.folder, 'clone');
  readonly cache = join(this.folder, 'cache');

  constructor() {
    const torch = 'packages/torch/src';
    const parts = ['scripts', `${torch}/locate-libtorch.mjs`, `${torch}/setup`, 'packages/cli/bin'];
    for (const part of parts) {
      cpSync(join(repository, part), join(this.clone, part), { recursive: true });
    }
    this.write('clone/node_modules/node-api-headers/index.js', '');
    this.write('clone/package-lock.json', '{"packages": {"": {}}}');
    this.write('clone/packages/torch/native/addon.cpp', '// first version');
    this.write(
      'clone/packages/model/src/formats/default-model.ts',
      `import { writeFileSync } from 'node:fs';
       export async function ensureDefaultModel(): Promise<string> {
         const path = ${JSON.stringify(join(this.folder, 'model.gguf'))};
         writeFileSync(path, 'model');
         return path;
       }`,
    );
    this.libtorch('wheel/torch', '2.13.0+cpu');
    for (const name of ['cp', 'mkdir', 'chmod', 'cat', 'sleep']) {
      mkdirSync(join(this.folder, 'bin'), { recursive: true });
      symlinkSync(`/bin/${name}`, join(this.folder, 'bin', name));
    }
    this.tool('make', 'exit 0');
    this.tool('g++', 'echo "g++ (Vendor 12.2.0-14) 12.2.0"');
    // The pinned Node, except that it does not load the addon, which no compiler made.
    this.write('node', `#!/bin/sh\n[ "$1" = -e ] && exit 0\nexec '${process.execPath}' "$@"\n`);
    this.tool(
      'npm',
      `mkdir -p node_modules/node/bin && cp -p '${this.folder}/node' node_modules/node/bin/`,
    );
    chmodSync(join(this.folder, 'node'), 0o755);
    this.tool(
      'python3',
      `case "$*" in
        *"bool(u.find_spec"*) echo "3.11.7 True" ;;
        *'find_spec("torch")'*) echo "$FAKE_TORCH" ;;
        *"version_info[1]"*) echo 11 ;;
        *ctypes*) [ -z "$FAKE_CUDA" ] || [ -e "$CALLS.dependencies" ] ;;
        "-m pip"*)
          [ -z "$FAKE_PIP_FAILS" ] || { echo "ERROR: no such index"; cat "$FAKE_PIP_FAILS"; exit 1; }
          case "$*" in *--no-deps*) ;; *) : > "$CALLS.dependencies" ;; esac
          while [ "$1" != --target ]; do shift; done
          cp -r '${this.folder}/wheel' "$2" ;;
      esac`,
    );
    this.tool(
      'cmake',
      `case "$1" in
        --version) echo "cmake version 3.25.1" ;;
        -S)
          echo '[{}, {}, {}]' > "$4/compile_commands.json"
          cp "$2/addon.cpp" "$4/" ;;
        --build)
          echo "[ 50%] Building CXX object CMakeFiles/keel_torch.dir/kernels/rotate.cpp.o"
          if [ -n "$FAKE_BUILD_HANGS" ]; then echo half > "$2/keel_torch.node"; sleep 60; fi
          mkdir -p "$2/CMakeFiles/keel_torch.dir"
          echo header > "$2/CMakeFiles/keel_torch.dir/cmake_pch.hxx.gch"
          [ -e "$2/keel_torch.node" ] || cp "$2/addon.cpp" "$2/keel_torch.node" ;;
      esac`,
    );
  }

  /** Adds a shell program to the machine's PATH. */
  tool(name: string, script: string): void {
    const path = this.write(`bin/${name}`, `#!/bin/sh\necho "${name} $*" >> "$CALLS"\n${script}\n`);
    chmodSync(path, 0o755);
  }

  remove(...tools: string[]): void {
    for (const name of tools) rmSync(join(this.folder, 'bin', name));
  }

  write(name: string, text: string): string {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  /** A folder that looks like Python's torch. */
  libtorch(name: string, version: string, cuda: string | null = null): string {
    const value = cuda === null ? 'None' : `'${cuda}'`;
    const text = `__version__ = '${version}'\ncuda: Optional[str] = ${value}\n`;
    this.write(`${name}/version.py`, text);
    this.write(`${name}/__init__.py`, '');
    const suffix = process.platform === 'darwin' ? 'dylib' : 'so';
    this.write(`${name}/lib/libtorch_cpu.${suffix}`, '');
    mkdirSync(join(this.folder, name, 'include'), { recursive: true });
    mkdirSync(join(this.folder, name, 'share/cmake'), { recursive: true });
    return join(this.folder, name);
  }

  get environment(): NodeJS.ProcessEnv {
    return {
      PATH: join(this.folder, 'bin'),
      HOME: this.folder,
      KEEL_CACHE: this.cache,
      CALLS: join(this.folder, 'calls'),
    };
  }

  /** The calls of the tools since the last time, one per line. */
  takeCalls(): string[] {
    const path = join(this.folder, 'calls');
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    rmSync(path);
    return lines;
  }

  start(
    script: string,
    env: NodeJS.ProcessEnv = {},
  ): { child: ChildProcess; ending: Promise<Ending> } {
    const child = spawn(process.execPath, [join(this.clone, script)], {
      cwd: this.clone,
      env: { ...this.environment, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    const ending = new Promise<Ending>((done) => {
      child.once('close', (code) => done({ code, output }));
    });
    return { child, ending };
  }

  setUp(env: NodeJS.ProcessEnv = {}): Promise<Ending> {
    return this.start('scripts/setup.mjs', env).ending;
  }

  has(name: string): boolean {
    return existsSync(join(this.folder, name));
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), 'utf8');
  }

  unlock(name: string): void {
    rmSync(join(this.folder, name));
  }

  delete(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
