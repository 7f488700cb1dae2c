import { say, styled } from '../terminal.ts';
import { type Facts, type Finding, narrowProducts } from './advice.ts';

/** Prints the facts, one per line. */
export function printFacts(facts: Facts): void {
  for (const [name, value] of lines(facts)) say(styled('bold', name.padEnd(14)), String(value));
}

/** Prints the findings. */
export function printFindings(all: readonly Finding[]): void {
  const colours = { missing: 'red', slow: 'yellow', note: 'cyan' } as const;
  say('');
  if (all.length === 0) say('Nothing is missing, and no slow setting was found.');
  for (const { kind, text, advice } of all) {
    say(styled(colours[kind], kind.padEnd(8)), ` ${indent(text, 9)}`);
    say(`         ${indent(advice, 9)}`);
  }
}

function lines(facts: Facts): [string, string][] {
  const { keel, node, hardware, engine, tools, cache, variables } = facts;
  const { libtorch, addon, loaded } = engine;
  const { cores, usableCores, cpuQuota } = hardware;
  const quota =
    cpuQuota === null ? '' : `, limited to ${Number(cpuQuota.toFixed(2))} by the control group`;
  const set = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  return [
    ['Keel', keel],
    ['Node', node],
    [
      'LibTorch',
      libtorch ? `${libtorch.version} in ${libtorch.root} (${source[libtorch.source]})` : 'none',
    ],
    ['Build', loaded ? build(loaded) : 'not loaded'],
    ['Addon', addon ?? 'none'],
    ['Processor', `${hardware.cpu} (${hardware.features.join(', ') || 'no known features'})`],
    ['Accelerator', accelerator(hardware.gpus, loaded?.cudaDevices ?? 0)],
    ['Threads', `${loaded?.threads ?? '?'}, ${usableCores} of ${cores} cores usable${quota}`],
    ['Memory', `${gigabytes(hardware.availableBytes)} free of ${gigabytes(hardware.memoryBytes)}`],
    [
      'Precision',
      loaded
        ? `auto selects ${loaded.cudaDevices > 0 || hardware.fastBfloat16 ? 'bf16' : 'fp32'}`
        : '?',
    ],
    ['Products', `bf16: ${narrowProducts(facts)}`],
    ['Cache', `${cache.path}, ${gigabytes(cache.bytes)}`],
    ['Default model', model[cache.defaultModel]],
    ['Tools', tools.found ?? 'incomplete, see below'],
    ...(set.length > 0 ? [['Variables', set.join(' ')] as [string, string]] : []),
  ];
}

const source = {
  KEEL_LIBTORCH: 'from KEEL_LIBTORCH',
  python: 'from the active Python',
  cache: "in Keel's cache",
};

const model = {
  whole: 'downloaded, SHA-256 verified',
  damaged: 'damaged: wrong size or SHA-256',
  absent: 'not downloaded yet',
};

function build({ cuda, cpuCapability, config }: NonNullable<Facts['engine']['loaded']>): string {
  const type = /BUILD_TYPE=(\w+)/.exec(config)?.[1];
  return `${cuda ? 'CUDA' : 'CPU'}${type ? `, ${type}` : ''}, uses ${cpuCapability}`;
}

function accelerator(gpus: readonly string[], usable: number): string {
  if (usable === 0) return gpus.length > 0 ? `${gpus.join('; ')} (not used)` : 'none';
  return gpus.length > 0 ? gpus.slice(0, usable).join('; ') : `${usable} CUDA devices`;
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
const indent = (text: string, columns: number): string =>
  text.replaceAll('\n', `\n${' '.repeat(columns)}`);
