import type { Engine } from './engine.ts';
import type { Hardware } from './hardware.ts';
import type { ModelCache } from './model-cache.ts';
import type { Tools } from './tools.ts';

export interface Facts {
  keel: string;
  node: string;
  hardware: Hardware;
  engine: Engine;
  tools: Tools;
  cache: ModelCache;
  /** Environment variables that change how LibTorch runs, if set. */
  variables: Record<string, string>;
  /** Processes of this machine that share its cores. */
  processes: number;
}

/** Something to know about this machine. */
export interface Finding {
  /** missing: Keel does not run without it; slow: it could be faster; note: good to know. */
  kind: 'missing' | 'slow' | 'note';
  text: string;
  /** What to do about it. */
  advice: string;
}

const SET_UP = 'Run: npx keel setup';
const GIGABYTE = 1e9;

/** What is missing comes first, then what is slow, then notes. */
export function findings(facts: Facts): Finding[] {
  const all = [
    ...missingParts(facts),
    ...slowProducts(facts),
    ...threadFindings(facts),
    ...acceleratorFindings(facts),
    ...memoryFindings(facts),
    ...modelFindings(facts),
  ];
  const order = ['missing', 'slow', 'note'];
  return all.toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}

function missingParts({ engine, tools }: Facts): Finding[] {
  const found: Finding[] = [];
  if (engine.problem !== null) {
    found.push({
      kind: 'missing',
      text: `LibTorch does not run: ${engine.problem}`,
      advice: SET_UP,
    });
  }
  if (tools.missing !== null) {
    const [text = '', ...rest] = tools.missing.split('\n\n');
    const kind = engine.problem === null ? 'note' : 'missing';
    found.push({ kind, text, advice: rest.join('\n\n') || SET_UP });
  }
  return found;
}

/** What multiplies matrices in bf16 on the CPU, in words. */
export function narrowProducts({ hardware: { features }, variables }: Facts): string {
  if (features.includes('amx_bf16') && !limitsAmx(variables)) {
    return "the processor's matrix unit (AMX), through oneDNN";
  }
  if (features.includes('avx512_bf16')) return "Keel's own kernels (AVX512-BF16)";
  if (features.includes('bf16')) return 'LibTorch, with bf16 instructions';
  return 'LibTorch, which computes in float32';
}

/** Whether a variable keeps oneDNN from the matrix unit. */
const limitsAmx = ({ ONEDNN_MAX_CPU_ISA: own, DNNL_MAX_CPU_ISA: old }: Facts['variables']) =>
  /^(?!.*AMX|DEFAULT$|ALL$)./i.test(own ?? old ?? '');

function slowProducts({ hardware, engine: { loaded }, variables }: Facts): Finding[] {
  const found: Finding[] = [];
  if (loaded === null || loaded.cudaDevices > 0) return found;
  const { features, fastBfloat16 } = hardware;
  if (!fastBfloat16) {
    found.push({
      kind: 'slow',
      text: 'this processor has no fast bf16 (neither AVX512-BF16 nor AMX): bf16 is emulated',
      advice: 'Keep --precision auto: it selects fp32 here',
    });
  }
  if (features.includes('amx_bf16') && limitsAmx(variables)) {
    const name = 'ONEDNN_MAX_CPU_ISA' in variables ? 'ONEDNN_MAX_CPU_ISA' : 'DNNL_MAX_CPU_ISA';
    found.push({
      kind: 'slow',
      text: `${name}=${variables[name]} keeps products in bf16 from the processor's matrix unit (AMX)`,
      advice: `Unset ${name}`,
    });
  }
  const { cpuCapability } = loaded;
  if (features.includes('avx512f') && !cpuCapability.startsWith('AVX512')) {
    found.push({
      kind: 'slow',
      text: `LibTorch uses ${cpuCapability} though the processor has AVX-512`,
      advice: 'Unset ATEN_CPU_CAPABILITY, or set it to avx512 and compare',
    });
  }
  if (cpuCapability === 'DEFAULT') {
    found.push({
      kind: 'slow',
      text: 'LibTorch uses no vector instructions (the processor lacks AVX2, or ATEN_CPU_CAPABILITY turns them off)',
      advice: 'Unset ATEN_CPU_CAPABILITY, or use another machine for training',
    });
  }
  const buildType = /BUILD_TYPE=(\w+)/.exec(loaded.config)?.[1];
  if (buildType === 'Debug') {
    found.push({
      kind: 'slow',
      text: 'this LibTorch is a debug build',
      advice: 'Use a release build: KEEL_LIBTORCH=/path/to/torch npx keel setup',
    });
  }
  return found;
}

function threadFindings({ hardware, engine: { loaded }, variables, processes }: Facts): Finding[] {
  const found: Finding[] = [];
  const { usableCores, cpuQuota, load } = hardware;
  const all = Math.min(usableCores, Math.max(1, Math.ceil(cpuQuota ?? usableCores)));
  const granted = Math.max(1, Math.floor(all / processes));
  const each = processes === 1 ? '' : ' for each process';
  const setBy = ['OMP_NUM_THREADS', 'MKL_NUM_THREADS'].filter((name) => name in variables);
  const because = setBy.map((name) => `, because ${name}=${variables[name]}`).join('');
  if (loaded !== null && loaded.threads > granted) {
    found.push({
      kind: 'slow',
      text: `LibTorch uses ${loaded.threads} threads on ${granted} usable cores${each}${because}`,
      advice: `Pass --threads ${granted}, or set OMP_NUM_THREADS=${granted}`,
    });
  } else if (loaded !== null && loaded.threads < granted) {
    // Two hardware threads share one core's units: LibTorch then uses half of the logical cores by
    // default.
    found.push({
      kind: because === '' ? 'note' : 'slow',
      text: `LibTorch uses ${loaded.threads} of ${granted} usable cores${each}${because}`,
      advice:
        because === '' ? `Try --threads ${granted}` : `Unset it, or pass --threads ${granted}`,
    });
  }
  if (load > all + 0.5) {
    found.push({
      kind: 'slow',
      text: `other programs are using this machine: load ${load.toFixed(1)} on ${all} usable cores`,
      advice: 'Stop them while training, or leave cores for them with --threads',
    });
  }
  return found;
}

function acceleratorFindings({ hardware: { gpus }, engine: { loaded } }: Facts): Finding[] {
  if (loaded === null || loaded.cudaDevices > 0) return [];
  if (loaded.cuda) {
    return [
      {
        kind: 'slow',
        text: 'LibTorch is a CUDA build but finds no GPU, so Keel runs on the CPU',
        advice: 'Check that nvidia-smi lists a GPU and that CUDA_VISIBLE_DEVICES does not hide it',
      },
    ];
  }
  if (gpus.length === 0) return [];
  return [
    {
      kind: 'slow',
      text: `there is a GPU (${gpus[0]}), but LibTorch is a CPU-only build`,
      advice:
        'Install a CUDA build of torch, then: KEEL_LIBTORCH=/path/to/site-packages/torch npx keel setup',
    },
  ];
}

function memoryFindings({ hardware: { availableBytes } }: Facts): Finding[] {
  if (availableBytes >= 3 * GIGABYTE) return [];
  return [
    {
      kind: 'slow',
      text: `only ${(availableBytes / GIGABYTE).toFixed(1)} GB of memory is free`,
      advice: 'Close other programs, or train with --lora and a smaller --micro-batch-tokens',
    },
  ];
}

function modelFindings({ cache }: Facts): Finding[] {
  if (cache.defaultModel === 'whole') return [];
  const damaged = cache.defaultModel === 'damaged';
  return [
    {
      kind: damaged ? 'missing' : 'note',
      text: damaged
        ? `the default model is damaged: ${cache.defaultModelPath}`
        : 'the default model is not downloaded yet; it will be on first use',
      advice: damaged ? `Run: rm '${cache.defaultModelPath}' && npx keel setup` : SET_UP,
    },
  ];
}
