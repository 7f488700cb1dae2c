import { expect, it } from 'vitest';
import { type Facts, findings, narrowProducts } from './advice.ts';

const factsOf = (
  features: string[],
  variables: Record<string, string> = {},
  processes = 1,
): Facts =>
  ({
    processes,
    ...{ keel: '1', node: 'v24', tools: { found: '', missing: null }, variables },
    cache: { path: '/cache', bytes: 0, defaultModel: 'cached' },
    hardware: {
      ...{ cpu: 'x', features, fastBfloat16: true, cores: 4, usableCores: 4, cpuQuota: null },
      ...{ load: 0, memoryBytes: 64e9, availableBytes: 60e9, gpus: [] },
    },
    engine: {
      ...{ problem: null, libtorch: null, addon: null },
      loaded: {
        version: '2.13.0',
        config: '',
        cpuCapability: 'AVX512',
        threads: 4,
        cudaDevices: 0,
      },
    },
  }) as unknown as Facts;

it.each([
  [['avx512f', 'avx512_bf16', 'amx_bf16'], {}, /AMX/],
  [['avx512f', 'avx512_bf16', 'amx_bf16'], { ONEDNN_MAX_CPU_ISA: 'AVX512_CORE_AMX' }, /AMX/],
  [['avx512f', 'avx512_bf16', 'amx_bf16'], { ONEDNN_MAX_CPU_ISA: 'DEFAULT' }, /AMX/],
  [['avx512f', 'avx512_bf16', 'amx_bf16'], { ONEDNN_MAX_CPU_ISA: 'AVX512_CORE_BF16' }, /own/],
  [['avx512f', 'avx512_bf16'], {}, /own/],
  [['avx2'], {}, /float32/],
] as const)('names what multiplies in bf16: %j %j', (features, variables, words) => {
  expect(narrowProducts(factsOf([...features], variables))).toMatch(words);
});

it('reports a variable that keeps products from the matrix unit', () => {
  const features = ['avx512f', 'avx512_bf16', 'amx_bf16'];
  const texts = (variables: Record<string, string>): string[] =>
    findings(factsOf(features, variables)).flatMap(({ text }) =>
      text.includes('ISA') ? text : [],
    );
  expect(texts({ DNNL_MAX_CPU_ISA: 'AVX2' })).toEqual([
    expect.stringMatching(/DNNL_MAX_CPU_ISA=AVX2/),
  ]);
  expect(texts({})).toEqual([]);
});

it('counts the cores that a process has for itself', () => {
  const texts = (processes: number): string[] =>
    findings(factsOf(['avx512f'], {}, processes)).flatMap(({ text }) =>
      text.includes('threads') ? text : [],
    );
  expect(texts(1)).toEqual([]);
  expect(texts(2)).toEqual([expect.stringMatching(/4 threads on 2 usable cores for each process/)]);
});
