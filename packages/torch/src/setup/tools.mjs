// The tools that the machine needs, and the command that installs missing ones.
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { pythonCommand } from '../locate-libtorch.mjs';
import { SetUpError } from './steps.mjs';

const packages = {
  'apt-get': {
    node: 'nodejs',
    npm: 'npm',
    python: 'python3',
    pip: 'python3-pip',
    compiler: 'g++',
    cmake: 'cmake',
    make: 'make',
  },
  dnf: {
    node: 'nodejs',
    npm: 'nodejs-npm',
    python: 'python3',
    pip: 'python3-pip',
    compiler: 'gcc-c++',
    cmake: 'cmake',
    make: 'make',
  },
  brew: {
    node: 'node',
    npm: 'node',
    python: 'python3',
    pip: 'python3',
    cmake: 'cmake',
    compiler: null,
    make: null,
  },
};

/** How to start npm: the npm that started this script, otherwise the one on the PATH. */
export function npmCommand(env = process.env) {
  const caller = env.npm_execpath ?? '';
  return basename(caller) === 'npm-cli.js' ? [process.execPath, caller] : ['npm'];
}

/**
 * Checks all tools at once. Resolves with a line that lists what was found.
 *
 * @throws {SetUpError} with every tool that is missing or too old, and the command that installs it
 * @returns {Promise<string>}
 */
export async function checkTools(env = process.env) {
  const checks = [
    checkNode(),
    checkNpm(env),
    checkPython(env),
    checkCompiler(env),
    checkCmake(env),
  ];
  const results = (await Promise.all([...checks, checkMake(env)])).flat();
  const missing = results.filter((result) => result.problem);
  if (missing.length === 0) {
    return results.flatMap((result) => result.found ?? []).join(', ');
  }
  const lines = missing.map((result) => `  - ${result.problem}`);
  throw new SetUpError(
    `Keel needs tools that are not installed:\n${lines.join('\n')}\n\n${advice(missing, env)}`,
  );
}

function checkNode() {
  const major = Number(process.versions.node.split('.')[0]);
  return major >= 20
    ? { tool: 'node', found: `Node ${process.versions.node}` }
    : { tool: 'node', problem: `Node 20 or newer (this is ${process.versions.node})` };
}

async function checkNpm(env) {
  // Asking npm for its version would take as long as all other checks together.
  return npmCommand(env).length > 1 || onPath('npm', env)
    ? { tool: 'npm', found: 'npm' }
    : { tool: 'npm', problem: 'npm' };
}

async function checkPython(env) {
  const command = pythonCommand(env);
  const program =
    'import sys, importlib.util as u; print("%d.%d.%d" % sys.version_info[:3], bool(u.find_spec("pip")))';
  const output = await ask(command, ['-c', program], env);
  if (output === null) {
    const named = env.KEEL_PYTHON ? `${command}, from KEEL_PYTHON` : 'python3';
    return { tool: 'python', problem: `Python 3.9 or newer (${named} does not run)` };
  }
  const [version, pip] = output.trim().split(' ');
  if (!atLeast(version, 3, 9)) {
    return { tool: 'python', problem: `Python 3.9 or newer (${command} is ${version})` };
  }
  if (pip !== 'True') return { tool: 'pip', problem: `pip for Python (${command} -m pip)` };
  return { tool: 'python', found: `Python ${version} with pip` };
}

async function checkCompiler(env) {
  const command = env.CXX || 'g++';
  const output = await ask(command, ['--version'], env);
  if (output === null) {
    return {
      tool: 'compiler',
      problem: `a C++20 compiler: g++ 11 or newer (${command} does not run)`,
    };
  }
  const clang = output.includes('clang');
  // The first line ends with the version; vendors add their own in parentheses before it.
  const first = output.split('\n')[0].replaceAll(/\([^)]*\)/g, '');
  const version = /(\d+)\.\d+(\.\d+)?/.exec(first);
  if (version === null || Number(version[1]) < (clang ? 14 : 11)) {
    const is = `${command} is ${version ? version[0] : first}`;
    return { tool: 'compiler', problem: `a C++20 compiler: g++ 11 or clang 14, or newer (${is})` };
  }
  return { tool: 'compiler', found: `${clang ? 'clang' : basename(command)} ${version[0]}` };
}

async function checkCmake(env) {
  const output = await ask('cmake', ['--version'], env);
  if (output === null) return { tool: 'cmake', problem: 'CMake 3.18 or newer' };
  const version = /\d+\.\d+\.\d+/.exec(output)?.[0] ?? 'unknown';
  return atLeast(version, 3, 18)
    ? { tool: 'cmake', found: `CMake ${version}` }
    : { tool: 'cmake', problem: `CMake 3.18 or newer (this is ${version})` };
}

/** CMake needs make or the tool in CMAKE_GENERATOR; some distributions install neither with it. */
async function checkMake(env) {
  if (env.CMAKE_GENERATOR || ['make', 'gmake'].some((name) => onPath(name, env))) return [];
  return { tool: 'make', problem: 'make' };
}

function advice(missing, env) {
  const manager = Object.keys(packages).find((name) => onPath(name, env));
  const lines = [];
  if (missing.some(({ tool }) => tool === 'node')) {
    lines.push('Node: install version 20 or newer from https://nodejs.org/en/download');
  }
  const wanted = missing.map(({ tool }) => tool).filter((tool) => tool !== 'node');
  if (manager === undefined) {
    if (process.platform === 'darwin') {
      lines.push(
        'Install Homebrew (https://brew.sh) and run this again to see the command to install them.',
      );
    } else if (wanted.length > 0) {
      lines.push(`Install them with your system's package manager: ${wanted.join(', ')}.`);
    }
    return lines.join('\n');
  }
  const names = [...new Set(wanted.map((tool) => packages[manager][tool]))].filter(Boolean);
  const root = process.getuid?.() === 0 || manager === 'brew' ? '' : 'sudo ';
  const install = manager === 'brew' ? 'brew install' : `${root}${manager} install -y`;
  const update = manager === 'apt-get' ? `${root}apt-get update && ` : '';
  const commands = names.length > 0 ? [`${update}${install} ${names.join(' ')}`] : [];
  // On macOS the compiler and make come with the command line tools, not with a package.
  if (wanted.some((tool) => packages[manager][tool] === null))
    commands.push('xcode-select --install');
  if (commands.length > 0) lines.push(`Install them with:\n\n    ${commands.join('\n    ')}`);
  return lines.join('\n');
}

function ask(command, args, env) {
  return new Promise((done) => {
    execFile(command, args, { cwd: '/', env }, (error, stdout) => done(error ? null : stdout));
  });
}

function onPath(name, env) {
  return (env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder || '.', name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function atLeast(version, major, minor) {
  const [a, b] = version.split('.').map(Number);
  return a > major || (a === major && b >= minor);
}
