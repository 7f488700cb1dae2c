import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeMachine } from './fake-machine.ts';

let machine: FakeMachine;
beforeEach(() => {
  machine = new FakeMachine();
});
afterEach(() => machine.delete());

const current = 'clone/packages/torch/build/current.json';
const lock = 'clone/.cache/setup/lock';

/** The content that the fake compiler wrote into the current addon. */
function builtAddon(): string {
  const { addon } = JSON.parse(machine.read(current));
  return machine.read(`clone/packages/torch/build/${addon}`);
}

describe('a run of setup', () => {
  it('does everything on a fresh machine, and nothing the second time', async () => {
    const first = await machine.setUp();
    expect(first.output).toMatch(/Packages.*\(\d+\.\d s\)/);
    expect(first.output).toMatch(/Addon.*rotate\.cpp.*1.*3.*\d+\.\d s$/m);
    expect(first.code).toBe(0);
    const root = join(machine.cache, 'libtorch-2.13.0/torch');
    expect(JSON.parse(machine.read(current)).torch).toEqual({
      root,
      version: '2.13.0+cpu',
      cuda: null,
      cxx11abi: true,
      source: 'cache',
    });
    const calls = machine.takeCalls();
    expect(calls.filter((call) => call.startsWith('npm ci'))).toHaveLength(1);
    expect(calls.find((call) => call.includes('pip install'))).toMatch(
      /--no-deps.* torch==2\.13\.0$/,
    );
    expect(calls.find((call) => call.startsWith('cmake -S'))).toContain(`-DTORCH_ROOT=${root}`);

    const second = await machine.setUp();
    expect(second.code).toBe(0);
    expect(second.output.match(/already/g)).toHaveLength(3);
    const work = /^npm|pip install|^cmake -S|^cmake --build/;
    expect(machine.takeCalls().filter((call) => work.test(call))).toEqual([]);
  });

  it('leaves manually installed packages alone', async () => {
    machine.write(
      'clone/package-lock.json',
      '{"packages": {"": {}, "node_modules/a": {"version": "1.0.0"}}}',
    );
    const installed = '{"packages": {"node_modules/a": {"version": "1.0.0"}}}';
    await machine.setUp();
    machine.write('clone/node_modules/.package-lock.json', installed);
    machine.write('clone/node_modules/.keel-setup.json', '{"lock": "of another day"}');
    machine.takeCalls();
    expect((await machine.setUp()).code).toBe(0);
    expect(machine.takeCalls().filter((call) => call.startsWith('npm'))).toEqual([]);

    machine.write('clone/node_modules/.package-lock.json', installed.replace('1.0.0', '0.9.0'));
    machine.write('clone/node_modules/.keel-setup.json', '{"lock": "of another day"}');
    expect((await machine.setUp()).code).toBe(0);
    expect(machine.takeCalls().filter((call) => call.startsWith('npm ci'))).toHaveLength(1);
  });

  it('compiles again for changed sources and for another LibTorch', async () => {
    await machine.setUp();
    machine.write('clone/packages/torch/native/addon.cpp', '// second version');
    machine.remove('npm');
    machine.tool('npm', 'exit 1');
    await machine.setUp();
    const calls = machine.takeCalls();
    expect(calls.filter((call) => call.startsWith('cmake --build'))).toHaveLength(2);

    const own = machine.libtorch('own/torch', '2.11.0+cu128', '12.8');
    expect((await machine.setUp({ KEEL_LIBTORCH: own })).code).toBe(0);
    const { addon, torch } = JSON.parse(machine.read(current));
    expect(torch).toMatchObject({ root: own, cuda: '12.8', source: 'KEEL_LIBTORCH' });
    expect(addon).toMatch(/^torch-2\.11\.0-cu128-[0-9a-f]{12}\/keel_torch\.node$/);
    expect(builtAddon()).toBe('// second version');
  });

  it('keeps the precompiled header only if the sources change', async () => {
    const header =
      'clone/packages/torch/build/work-torch-2.13.0-cpu/CMakeFiles/keel_torch.dir/cmake_pch.hxx.gch';
    await machine.setUp();
    expect(machine.has(header)).toBe(false);
    machine.write('clone/packages/torch/native/addon.cpp', '// second version');
    expect((await machine.setUp()).output).toMatch(/rotate\.cpp.*1.*3/);
    expect(machine.has(header)).toBe(true);
    machine.write('clone/packages/torch/native/addon.cpp', '// third version');
    expect((await machine.setUp()).output).toMatch(/rotate\.cpp(?!.*3)/);
    expect(machine.has(header)).toBe(true);
  });

  it('installs the dependencies of a LibTorch that needs them to load', async () => {
    expect((await machine.setUp({ FAKE_CUDA: '1' })).code).toBe(0);
    const installs = machine.takeCalls().filter((call) => call.includes('pip install'));
    expect(installs.map((call) => call.includes('--no-deps'))).toEqual([true, false]);
  });

  it('shows the error of a failed step, whatever follows it, and leaves no partial work', async () => {
    const { code, output } = await machine.setUp({
      FAKE_PIP_FAILS: machine.write('noise', 'Usage: and so on\n'.repeat(100)),
    });
    expect(code).toBe(1);
    expect(output).toMatch(/pip install torch==2\.13\.0 failed \(1\)[\s\S]*no such index/);
    expect(readdirSync(machine.cache)).toEqual([]);
    expect(machine.has(lock)).toBe(false);
  });
});

describe('missing tools', () => {
  it('are reported all at once, with the command that installs them', async () => {
    machine.remove('cmake', 'g++', 'python3');
    machine.tool('apt-get', 'exit 1');
    const { code, output } = await machine.setUp();
    expect(code).toBe(1);
    expect(output).toContain('Python 3.9 or newer (python3 does not run)');
    expect(output).toContain('CMake 3.18 or newer');
    expect(output).toMatch(/apt-get update && (sudo )?apt-get install -y python3 g\+\+ cmake\n/);
    expect(machine.takeCalls()).toEqual([]);
  });

  it('have the names of other package managers', async () => {
    machine.remove('g++', 'make');
    machine.tool('dnf', 'exit 1');
    expect((await machine.setUp()).output).toMatch(/dnf install -y gcc-c\+\+ make\n/);
    machine.remove('dnf');
    machine.tool('brew', 'exit 1');
    expect((await machine.setUp()).output).toContain('xcode-select --install');
  });

  it('include tools that are too old', async () => {
    machine.tool('cmake', 'echo "cmake version 3.10.2"');
    machine.tool('g++', 'echo "g++ (Vendor 12.0) 9.4.0"');
    machine.tool('python3', 'echo "3.8.10 True"');
    const { code, output } = await machine.setUp();
    expect(code).toBe(1);
    expect(output).toContain('CMake 3.18 or newer (this is 3.10.2)');
    expect(output).toContain('g++ is 9.4.0');
    expect(output).toContain('python3 is 3.8.10');
  });

  it('include a missing pip', async () => {
    machine.tool('python3', 'echo "3.11.7 False"');
    machine.tool('apt-get', 'exit 1');
    expect((await machine.setUp()).output).toMatch(/apt-get install -y python3-pip\n/);
  });
});

describe('an interrupted setup', () => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`ends running programs on ${signal}, and the next setup builds from the start`, async () => {
      const { child, ending } = machine.start('scripts/setup.mjs', { FAKE_BUILD_HANGS: '1' });
      const half = 'clone/packages/torch/build/work-torch-2.13.0-cpu/keel_torch.node';
      await vi.waitFor(() => expect(machine.has(half)).toBe(true), { timeout: 20_000 });
      child.kill(signal);
      expect((await ending).code).toBe(code);
      expect(machine.has(lock)).toBe(false);
      expect(machine.has(current)).toBe(false);

      expect((await machine.setUp()).code).toBe(0);
      expect(builtAddon()).toBe('// first version');
    });
  }

  it('leaves a lock that is taken over once its process has ended', async () => {
    const gone = spawnSync(process.execPath, ['-e', '']);
    machine.write(lock, JSON.stringify({ pid: gone.pid, started: '1' }));
    expect((await machine.setUp()).code).toBe(0);
    expect(machine.has(lock)).toBe(false);
  });

  it('leaves a lock that is taken over if it is truncated', async () => {
    machine.write(lock, '{"pi');
    expect((await machine.setUp()).code).toBe(0);
  });
});

describe('two setups at once', () => {
  it('wait for each other', async () => {
    machine.write(lock, JSON.stringify({ pid: process.pid, started: null }));
    const { child, ending } = machine.start('scripts/setup.mjs');
    let output = '';
    child.stdout?.on('data', (text: string) => {
      output += text;
    });
    await vi.waitFor(() => expect(output).toContain('waiting for it'), { timeout: 20_000 });
    expect(machine.takeCalls().filter((call) => call.startsWith('npm'))).toEqual([]);
    machine.unlock(lock);
    expect((await ending).code).toBe(0);
  });

  it('do each step once', async () => {
    const endings = await Promise.all([machine.setUp(), machine.setUp(), machine.setUp()]);
    expect(endings.map(({ code }) => code)).toEqual([0, 0, 0]);
    const calls = machine.takeCalls();
    for (const once of ['npm ci', 'cmake --build']) {
      expect(calls.filter((call) => call.startsWith(once))).toHaveLength(1);
    }
  });
});
